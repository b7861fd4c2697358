import { startRedis } from "@clean-arch/test-servers";
import { expect, it, onTestFinished } from "vitest";
import { SeededRandom } from "../../simulation/seeded-random.js";
import { hash, idOf, login } from "../../testing/session-store/world.js";
import { openSessions } from "./own-prefix.test.support.js";

/** A setting that the store warns of at its start (server-settings.ts). Any key may go: a record, an index, an epoch. */
const POLICIES = ["allkeys-lru", "allkeys-random"];

it.each(POLICIES)(
  "with %s sessions end whole, no answer is wrong, and all of a subject's can be ended",
  async (policy) => {
    const server = await startRedis({ settings: { maxmemory: "4mb", "maxmemory-policy": policy } });
    onTestFinished(() => server.remove());
    const store = await openSessions({ url: server.url });
    onTestFinished(() => store.close());
    const random = new SeededRandom(1);
    const subjects = Array.from({ length: 20 }, (_, n) => `s${n}`);
    const known: { readonly name: string; readonly subject: string; revision: number }[] = [];
    let gone = 0;
    for (let n = 0; n < 400; n += 1) {
      const subject = random.pick(subjects);
      const name = `n${n}`;
      const data = { fill: "x".repeat(16_000), a: 0, b: 0 };
      await store.create(login(name, { subject, data, idleMs: 600_000, absoluteMs: 600_000 }));
      known.push({ name, subject, revision: 1 });
      const other = random.pick(known);
      const committed = await store.commit(idOf(other.name, other.subject), { set: { a: n, b: n } });
      if (typeof committed === "object") {
        // Nothing of an earlier life, and nothing is missing.
        expect(committed).toMatchObject({ revision: other.revision + 1, data: { fill: data.fill, a: n, b: n } });
        other.revision += 1;
      } else expect(committed).toBe("not-found");
      const loaded = await store.load(idOf(other.name, other.subject), hash(other.name), { touch: random.chance(0.5) });
      if (loaded === undefined) gone += 1;
      else expect(loaded).toMatchObject({ revision: other.revision, data: { fill: data.fill } });
      if (typeof committed === "string") expect(loaded).toBeUndefined();
    }
    expect(gone).toBeGreaterThan(20);
    const isLive = async ({ name, subject }: (typeof known)[number]): Promise<boolean> =>
      (await store.loadById(idOf(name, subject))) !== undefined;
    const live = [];
    for (const one of known) if (await isLive(one)) live.push(one);
    expect(live.length).toBeGreaterThan(10);
    for (const subject of subjects) {
      await store.list({ subject, limit: 200 });
      await store.revokeSubject(subject);
    }
    for (const one of known) expect(await isLive(one)).toBe(false);
  },
);
