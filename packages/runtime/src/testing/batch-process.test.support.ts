import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { BatchStore, TakenChunk } from "../store/batch-store.js";
import { numbers, RUN, settledOf } from "./batch-store/harness.js";
import { bundleChildProgram, type ChildProgram } from "./child-program.test.support.js";

const source = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

/**
 * A process that works on the batch of a run as "child", until it is killed: it takes two chunks at a time, writes the number of each into
 * the table `settlements` in the transaction that settles it, and says so.
 */
const CHILD = `
import { createPostgresRunStore } from ${source("../stores/postgres/run-store.ts")};
import { createSqliteRunStore } from ${source("../stores/sqlite/run-store.ts")};

const [, , technology, where, schema] = process.argv;
const store = technology === "sqlite" ? createSqliteRunStore({ file: where }) : createPostgresRunStore({ url: where, schema });
await store.open();
const renewed = await store.renew({ worker: "child", label: "child", leaseMs: 10_000, runs: [] });
if (renewed.kind !== "active") throw new Error(renewed.kind);
let holding = [];
for (;;) {
  const { taken } = await store.batches.advance({ run: ${JSON.stringify(RUN)}, worker: "child", settled: [], take: 2, holding });
  if (taken.length === 0) throw new Error("expected chunks");
  for (const chunk of taken) {
    const transaction = await store.batches.begin(chunk);
    if (technology === "sqlite") transaction.client.run("insert into settlements values (?)", [chunk.n]);
    else await transaction.client.query(\`insert into "\${schema}".settlements values ($1)\`, [chunk.n]);
    const settled = { n: chunk.n, fence: chunk.fence, done: chunk.size, skipped: 0, failed: [] };
    if ((await transaction.commit(settled)) !== "settled") throw new Error("expected it to be settled");
    console.log("settled " + chunk.n);
  }
}
`;

export function batchProgram(): Promise<ChildProgram> {
  return bundleChildProgram(CHILD);
}

/** Kills it when it has said that so many are settled. Rejects with its complaint when it ends before. */
export async function killAfter(child: ChildProcessWithoutNullStreams, settled: number): Promise<void> {
  const exited = once(child, "exit");
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint += String(chunk);
  });
  let heard = 0;
  for await (const _ of createInterface({ input: child.stdout })) {
    heard += 1;
    if (heard === settled) break;
  }
  child.kill("SIGKILL");
  const [, signal] = await exited;
  if (heard < settled || signal !== "SIGKILL") throw new Error(complaint);
}

/** Takes one chunk after the other and settles it by `settle`, until there is none. The numbers, and which of them had crashed. */
export async function workOn(
  batches: BatchStore,
  worker: string,
  settle: (chunk: TakenChunk, settled: ReturnType<typeof settledOf>) => Promise<"settled" | "lost">,
): Promise<{ readonly taken: number[]; readonly crashed: number[] }> {
  const all: TakenChunk[] = [];
  for (;;) {
    const { taken } = await batches.advance({ run: RUN, worker, settled: [], take: 1, holding: [] });
    const [chunk] = taken;
    if (chunk === undefined) return { taken: numbers(all), crashed: numbers(all.filter(({ crashes }) => crashes > 0)) };
    all.push(chunk);
    if ((await settle(chunk, settledOf(chunk))) === "lost") throw new Error(`expected chunk ${chunk.n} to be settled`);
  }
}
