import type { Mutant } from "./mutant.js";

const src = (path: string): string => `packages/runtime/src/${path}`;
const sql = (name: string): string => `packages/runtime/sql/postgres/${name}.sql`;

const MEMORY = { tests: [src("stores/memory/run-store.test.ts")] };
const POSTGRES = { tests: [src("stores/postgres/run-store.test.ts")] };
const CONTENTION = { tests: [src("stores/postgres/queues.test.ts")] };

/** Of queues with limits. */
export const queueMutants: readonly Mutant[] = [
  {
    name: "queues: of two claimers both take the last place",
    files: [sql("queue-lock")],
    find: " for update skip locked",
    replace: "",
    ...CONTENTION,
  },
  {
    name: "queues: a claimer waits for another one's lock",
    files: [sql("queue-lock")],
    find: " skip locked",
    replace: "",
    ...CONTENTION,
  },
  {
    name: "queues: a stuck run keeps its place",
    files: [sql("queue-use")],
    find: "(r.owner is not null or r.status not in ('stuck', 'paused'))",
    replace: "r.status is not null",
    ...POSTGRES,
  },
  {
    name: "queues: a run that waits gives its place away",
    files: [sql("queue-use")],
    find: "(r.owner is not null or r.status not in ('stuck', 'paused'))",
    replace: "r.owner is not null",
    ...POSTGRES,
  },
  {
    name: "queues: a key that is full holds up the others",
    files: [src("store/queue-room.ts")],
    find: "if (places >= concurrencyPerKey) continue;",
    replace: "if (places >= concurrencyPerKey) break;",
    ...MEMORY,
  },
  {
    name: "queues: runs of one key that begin together count as one",
    files: [src("store/queue-room.ts")],
    find: "taken.set(partitionKey, places + 1);",
    replace: "taken.set(partitionKey, 1);",
    ...MEMORY,
  },
  {
    name: "queues: the rate forgets who begins in this claim",
    files: [src("store/queue-room.ts")],
    find: "use.begun + more < rateLimit.max",
    replace: "use.begun < rateLimit.max",
    ...MEMORY,
  },
  {
    name: "queues: the least urgent run begins first",
    files: [src("store/queue-room.ts")],
    find: "return b.priority - a.priority;",
    replace: "return a.priority - b.priority;",
    ...MEMORY,
  },
];
