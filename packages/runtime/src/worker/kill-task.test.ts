import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LedgerEntry } from "../participants/ledger.js";
import { createSqliteLedger } from "../stores/sqlite/index.js";
import { bundleChildProgram, type ChildProgram } from "../testing/child-program.test.support.js";

const here = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

/** A process with a task that is a function, on one SQLite file, and what its checkpoints did in another. */
const CHILD = `
import { createSagaManager, resolveConfig, task } from ${here("../index.ts")};
import { createSqliteLedger, createSqliteRunStore } from ${here("../stores/sqlite/index.ts")};
import { killAtBoundary } from ${here("../testing/kill-at-boundary.test.support.ts")};

const [, , file, ledgerFile, boundary] = process.argv;
const ledger = createSqliteLedger({ file: ledgerFile });
const { store, writes } = killAtBoundary(createSqliteRunStore({ file }), JSON.parse(boundary));
const closes = task("closes", async ({ runId, checkpoint, sleep, waitFor, progress, patch }) => {
  const does = (stage) =>
    checkpoint(stage, async ({ idempotencyKey: key }) => {
      const effect = { key, run: runId, service: "task", stage, kind: "forward", reference: stage + " done" };
      return (await ledger.record(effect)).entry.reference;
    });
  const first = await does("first");
  progress({ done: 1 });
  const both = await Promise.all([does("left"), does("right")]);
  await sleep("pause", "30ms");
  const how = await waitFor("go");
  const last = patch("newer") ? await does("last") : null;
  return [first, ...both, how, last];
});
const manager = createSagaManager({
  ...{ store, definitions: [closes], participants: {}, pollMs: 20 },
  config: resolveConfig({ recovery: { leaseMs: 300, initialDelayMs: 10 } }),
});
await manager.open();
const { id } = await manager.start("closes", {}, { idempotencyKey: "closes-1" });
try {
  await manager.signal(id, "go", "now", { actor: "test", idempotencyKey: "go" });
} catch (error) {
  if (error.code !== "run-ended") throw error;
}
const run = await manager.wait(id, 20_000);
await manager.close();
await ledger.close();
console.log(JSON.stringify({ status: run.status, output: run.output, error: run.error, writes: writes() }));
`;

let program: ChildProgram;
beforeAll(async () => {
  program = await bundleChildProgram(CHILD);
});
afterAll(() => program.remove());

interface Told {
  readonly status: string;
  readonly output: unknown;
  readonly writes: number;
}

/** Runs the process to its end; null when it was killed. */
async function runProcess(name: string, boundary: object | null): Promise<Told | null> {
  const files = [join(program.folder, `${name}.db`), join(program.folder, `${name}-ledger.db`)];
  const child = program.start([...files, JSON.stringify(boundary)]);
  let [output, complaint] = ["", ""];
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    complaint += String(chunk);
  });
  const [code, signal] = await once(child, "close");
  if (signal === "SIGKILL") return null;
  expect(code, complaint).toBe(0);
  return JSON.parse(output);
}

async function ledgerOf(name: string): Promise<readonly LedgerEntry[]> {
  const ledger = createSqliteLedger({ file: join(program.folder, `${name}-ledger.db`) });
  const { items } = await ledger.list({ limit: 200 });
  await ledger.close();
  return items;
}

const OUTPUT = ["first done", "left done", "right done", "now", "last done"];

describe("a task that is a function, in a real process on SQLite", () => {
  it("does each checkpoint's work under one key, whichever boundary of its journal the process is killed at", async () => {
    const whole = await runProcess("whole", null);
    expect(whole).toMatchObject({ status: "completed", output: OUTPUT });
    const stages = (await ledgerOf("whole")).map(({ stage }) => stage);
    expect([...stages].sort()).toEqual(["first", "last", "left", "right"]);
    const writes = whole?.writes ?? 0;
    expect(writes).toBeGreaterThan(6);
    let [killed, repeated] = [0, 0];
    for (let call = 1; call <= writes; call++) {
      for (const side of ["before", "after"]) {
        const name = `closes-${call}-${side}`;
        // How many rows it takes depends on when the signal is read: the last ones may be fewer.
        if ((await runProcess(name, { call, side })) === null) killed += 1;
        expect(await runProcess(name, null), name).toMatchObject({ status: "completed", output: OUTPUT });
        const entries = await ledgerOf(name);
        expect(entries.map(({ stage }) => stage).sort(), name).toEqual(["first", "last", "left", "right"]);
        for (const { key, run, stage } of entries) expect(key).toBe(`${run}:task/${stage}`);
        // What was under way, and no more: one in a row, two at once.
        const again = entries.reduce((sum, { calls }) => sum + calls - 1, 0);
        expect(again, name).toBeLessThanOrEqual(2);
        repeated += again;
      }
    }
    expect(killed).toBeGreaterThan(10);
    expect(repeated).toBeGreaterThan(0);
    console.info(`task: killed at ${killed} boundaries, ${repeated} pieces of work done again under their keys`);
  }, 240_000);
});
