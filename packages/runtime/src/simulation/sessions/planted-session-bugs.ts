import type { SessionStore } from "../../store/session-store.js";
import type { SeededRandom } from "../seeded-random.js";

/**
 * What a store can get wrong, over one that is right; each instance of a store gets one of its own. `wait` takes as long as the
 * network does: between two calls of the store others come.
 */
export type PlantedSessionBug = (
  store: SessionStore,
  wait: () => Promise<void>,
  random: SeededRandom,
) => Partial<SessionStore>;

export const plantedSessionBugs: Readonly<Record<string, PlantedSessionBug>> = {
  "a commit that writes all it had read, and loses what another one wrote meanwhile": (store, wait) => ({
    async commit(id, delta, options) {
      const read = await store.loadById(id);
      await wait();
      if (options?.revision !== undefined || read === undefined) return store.commit(id, delta, options);
      const { set = {}, unset = [] } = delta;
      const kept = Object.fromEntries(Object.entries(read.data).filter(([key]) => !unset.includes(key)));
      return store.commit(id, { set: { ...kept, ...set }, unset }, options);
    },
  }),

  "a revision that is compared before the write and not in it": (store, wait) => ({
    async commit(id, delta, { revision, ...options } = {}) {
      const read = await store.loadById(id);
      if (revision !== undefined && read !== undefined && read.revision !== revision) return "moved";
      await wait();
      return store.commit(id, delta, options);
    },
  }),

  "an update that creates the session anew after it was revoked": (store, wait) => {
    const hashes = new Map<string, string | null>();
    return {
      create(session) {
        hashes.set(session.id, session.tokenHash);
        return store.create(session);
      },
      async commit(id, delta, options) {
        const read = await store.loadById(id);
        await wait();
        const committed = await store.commit(id, delta, options);
        if (committed !== "not-found" || read === undefined) return committed;
        const { kind, subject, data, idleMs } = read;
        const session = { id, kind, subject, tokenHash: hashes.get(id) ?? null, idleMs, absoluteMs: 3_000 };
        const created = await store.create({ ...session, data: { ...data, ...delta.set } });
        return typeof created === "string" ? "not-found" : created.session;
      },
    };
  },

  "a read that is answered from what was read before": (store, _wait, random) => {
    const cache = new Map<string, Awaited<ReturnType<SessionStore["loadById"]>>>();
    return {
      async loadById(id) {
        const known = cache.get(id);
        if (known !== undefined && random.chance(0.5)) return known;
        const read = await store.loadById(id);
        cache.set(id, read);
        return read;
      },
    };
  },

  "a rotation that two callers win": (store) => ({
    async rotate(id, rotation) {
      const rotated = await store.rotate(id, rotation);
      return rotated === "not-found" || "reused" in rotated ? rotated : { ...rotated, seed: rotation.seed };
    },
  }),

  "a commit that is carried out twice": (store, wait) => ({
    async commit(id, delta, options) {
      const committed = await store.commit(id, delta, options);
      await wait();
      if (typeof committed !== "string") await store.commit(id, delta, { returning: "head" });
      return committed;
    },
  }),

  "a revision that is skipped": (store) => ({
    async commit(id, delta, options) {
      const committed = await store.commit(id, {}, options);
      if (typeof committed === "string") return committed;
      return store.commit(id, delta, options?.returning === undefined ? {} : { returning: options.returning });
    },
  }),

  "a token that lives on after a rotation without grace": (store) => ({
    rotate: (id, rotation) => store.rotate(id, { ...rotation, graceMs: Math.max(1, rotation.graceMs) }),
  }),

  "the end of a subject that is not one step": (store, wait) => ({
    async revokeSubject(subject, except) {
      const { items } = await store.list({ subject, limit: 100 });
      let ended = 0;
      for (const { id } of items.filter((item) => item.id !== except)) {
        await wait();
        if (await store.revoke(id)) ended += 1;
      }
      return ended;
    },
  }),

  "a limit that is counted before the session is stored": (store, wait) => ({
    async create({ limit, ...session }) {
      if (limit === undefined || session.subject === null) return store.create({ ...session });
      const { items } = await store.list({ subject: session.subject, limit: 100 });
      await wait();
      if (items.length >= limit.max && limit.policy === "deny") return "limit-reached";
      return store.create({ ...session, ...(items.length >= limit.max && { limit }) });
    },
  }),

  "a touch that is forgotten": (store) => ({
    load: (id, tokenHash, { touch }) => store.load(id, tokenHash, { touch: touch && tokenHash < "8" }),
  }),
};

/** The store, but for what the bug does. */
export function plant(
  bug: PlantedSessionBug,
  store: SessionStore,
  wait: () => Promise<void>,
  random: SeededRandom,
): SessionStore {
  const changed = bug(store, wait, random);
  return new Proxy(store, {
    get(target, name) {
      const method = changed[name as keyof SessionStore] ?? target[name as keyof SessionStore];
      return (method as (...args: unknown[]) => unknown).bind(changed[name as keyof SessionStore] ? changed : target);
    },
  });
}
