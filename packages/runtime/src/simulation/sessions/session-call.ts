import type { LoadedSession, ReusedToken, SessionRecord, SessionStore } from "../../store/session-store.js";
import { hash } from "../../testing/session-store/world.js";

/** A call of a session store that is one step, as data. Tokens have names; a store sees their hashes. */
export type SessionCall =
  | {
      readonly kind: "create";
      readonly id: string;
      readonly subject: string | null;
      readonly token: string;
      readonly field: string;
      readonly limit: { readonly max: number; readonly policy: "deny" | "evict-oldest" } | null;
    }
  | { readonly kind: "load"; readonly id: string; readonly token: string; readonly touch: boolean }
  | { readonly kind: "loadById"; readonly id: string }
  | {
      readonly kind: "commit";
      readonly id: string;
      readonly set: Readonly<Record<string, number>>;
      readonly unset: readonly string[];
      readonly revision: number | null;
      readonly head: boolean;
    }
  | {
      readonly kind: "rotate";
      readonly id: string;
      readonly from: string;
      readonly to: string;
      readonly graceMs: number;
    }
  | { readonly kind: "revoke"; readonly id: string }
  | { readonly kind: "revokeSubject"; readonly subject: string; readonly except: string | null }
  /** Not a store's: its clock was moved while nobody called. */
  | { readonly kind: "advance"; readonly ms: number };

/** Of every session that is created here. */
export interface Lifetime {
  readonly idleMs: number;
  readonly absoluteMs: number;
}

/** What a call answered, as text that equals another one's when a caller could not tell them apart. */
export type Describe = (record: SessionRecord | LoadedSession) => string;

/** With the times, for a clock that only the test moves. */
export const describeTimed: Describe = (record) => {
  const { createdAt, touchedAt, rotatedAt, expiresAt } = record;
  return `${describeTimeless(record)} ${createdAt} ${touchedAt} ${rotatedAt} ${expiresAt}`;
};

export const describeTimeless: Describe = (record) => {
  const seed = "seed" in record ? ` seed ${record.seed}` : "";
  return `revision ${record.revision} ${canonical(record.data)}${seed}`;
};

function canonical(data: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Of the rotation to that token. */
export function seedFor(token: string): string {
  return `seed-${token}`;
}

export async function perform(
  store: SessionStore,
  call: Exclude<SessionCall, { readonly kind: "advance" }>,
  { idleMs, absoluteMs }: Lifetime,
  describe: Describe,
): Promise<string> {
  switch (call.kind) {
    case "create": {
      const { id, subject, token, field, limit } = call;
      const created = await store.create({
        ...{ id, kind: "login", subject, tokenHash: hash(token), data: { [field]: 0 }, idleMs, absoluteMs },
        ...(limit !== null && { limit }),
      });
      if (typeof created === "string") return created;
      const evicted = created.evicted.map((other) => other.id).sort();
      return `${describe(created.session)} evicted ${evicted.join()}`;
    }
    case "load":
      return found(await store.load(call.id, hash(call.token), { touch: call.touch }), describe);
    case "loadById":
      return found(await store.loadById(call.id), describe);
    case "commit": {
      const { id, set, unset, revision, head } = call;
      const options = { ...(revision !== null && { revision }), returning: head ? "head" : "record" } as const;
      const committed = await store.commit(id, { set, unset }, options);
      return typeof committed === "string" ? committed : describe(committed);
    }
    case "rotate": {
      const { id, from, to, graceMs } = call;
      const names = { oldTokenHash: hash(from), newTokenHash: hash(to), seed: seedFor(to) };
      const rotated = await store.rotate(id, { ...names, graceMs });
      if (rotated === "not-found") return rotated;
      return "reused" in rotated ? "reused" : `${describe(rotated.session)} by ${rotated.seed}`;
    }
    case "revoke":
      return found(await store.revoke(call.id), describe);
    case "revokeSubject":
      return `ended ${await store.revokeSubject(call.subject, call.except ?? undefined)}`;
  }
}

function found(record: SessionRecord | LoadedSession | ReusedToken | undefined, describe: Describe): string {
  if (record === undefined) return "none";
  return "reused" in record ? "reused" : describe(record);
}
