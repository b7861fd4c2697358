import type { Mutant } from "./mutant.js";

const src = (path: string): string => `packages/runtime/src/${path}`;
const sql = (name: string): string => `packages/runtime/sql/postgres/${name}.sql`;

const MEMORY = { tests: [src("stores/memory/batch-store.test.ts")] };
const POSTGRES = { tests: [src("stores/postgres/batch-store.test.ts")] };
const CONTENTION = { tests: [src("stores/postgres/batch-contention.test.ts")] };

/** Of the stores of batches. */
export const batchMutants: readonly Mutant[] = [
  {
    name: "batches: a chunk that is settled again counts again",
    files: [sql("batch-advance")],
    find: "c.n = s.n and c.fence = s.fence and c.fence > 0",
    replace: "c.n = s.n and c.fence > 0",
    ...POSTGRES,
  },
  {
    name: "batches: two that settle at once judge room and end by themselves",
    files: [sql("batch-advance")],
    find: "  where b.run = $1::uuid for update of b\n),\nsettled",
    replace: "  where b.run = $1::uuid\n),\nsettled",
    ...CONTENTION,
  },
  {
    name: "batches: who waited is given what others took meanwhile, or nothing",
    files: [sql("batch-advance")],
    find: "(select chunks from room) for update\n",
    replace: "(select chunks from room)\n",
    ...CONTENTION,
  },
  {
    name: "batches: one that closes does not wait for what is planted",
    files: [sql("batch-lock")],
    find: " for update",
    replace: "",
    ...CONTENTION,
  },
  {
    name: "batches: the dead keep their chunks",
    files: [src("stores/postgres/workers.ts")],
    find: '["due"]);\n  await freeChunks(connections);\n',
    replace: '["due"]);\n',
    ...POSTGRES,
  },
  {
    name: "batches: a call that comes late counts as planted whatever is there",
    files: [src("store/local-chunks.ts")],
    find: "first + chunks.length === batch.next && batch.cursor === cursor && batch.isEnd === isEnd;",
    replace: "first + chunks.length <= batch.next;",
    ...MEMORY,
  },
  {
    name: "batches: the same round forgives a second time",
    files: [src("store/local-batches.ts")],
    find: "  if (round <= known.round) return;\n",
    replace: "  if (round < known.round) return;\n",
    ...MEMORY,
  },
  {
    name: "batches: a worker that retires has crashed",
    files: [src("store/local-batches.ts")],
    find: "      if (crashed) {\n",
    replace: "      if (crashed || chunk.owner === null) {\n",
    ...MEMORY,
  },
  {
    name: "batches: what is given by a lost reply is forgotten",
    files: [src("store/local-chunks.ts")],
    find: ".filter(({ n }) => !held.has(n))\n    .slice(0, most)",
    replace: ".filter(({ n }) => !held.has(n))\n    .slice(0, 0)",
    ...MEMORY,
  },
];
