import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { LedgerEntry } from "../participants/ledger.js";
import { createSqliteLedger } from "../stores/sqlite/index.js";
import { bundleChildProgram, type ChildProgram } from "../testing/child-program.test.support.js";

const here = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

/** A service process: the example's saga on one SQLite file, its participants' ledger in another. Starts the order and waits for its end. */
const CHILD = `
import { createSagaManager, resolveConfig, sagaFromConfig, simulatedParticipant } from ${here("../index.ts")};
import { createSqliteLedger, createSqliteRunStore } from ${here("../stores/sqlite/index.ts")};
import { killAtBoundary } from ${here("../testing/kill-at-boundary.test.support.ts")};

const [, , file, ledgerFile, task, input, boundary] = process.argv;
const ledger = createSqliteLedger({ file: ledgerFile });
const services = ["order_service", "inventory_service", "payment_service", "shipping_service"];
const { store, writes } = killAtBoundary(createSqliteRunStore({ file }), JSON.parse(boundary));
const manager = createSagaManager({
  store,
  definitions: [sagaFromConfig(JSON.parse(task))],
  participants: Object.fromEntries(services.map((name) => [name, simulatedParticipant({ name, ledger })])),
  config: resolveConfig({ recovery: { leaseMs: 300, initialDelayMs: 10 } }),
  pollMs: 20,
});
await manager.open();
const { id } = await manager.start("order_processing", JSON.parse(input), { idempotencyKey: "order-1" });
const run = await manager.wait(id, 20_000);
await manager.close();
console.log(JSON.stringify({ status: run.status, writes: writes(), id }));
`;

const scenarios = {
  completes: { input: {}, status: "completed", undone: [] },
  "has its payment declined": {
    input: { simulate: { process_payment: { status: 402 } } },
    status: "compensated",
    undone: ["reserve_inventory"],
  },
  "cannot be shipped, after a retried payment": {
    input: { simulate: { process_payment: { fail_times: 1 }, ship_order: { status: 422 } } },
    status: "compensated",
    undone: ["process_payment", "reserve_inventory"],
  },
} as const;

let program: ChildProgram;
let task: string;
beforeAll(async () => {
  const example = fileURLToPath(new URL("../../../../examples/example-config-session.yaml", import.meta.url));
  task = JSON.stringify(parse(await readFile(example, "utf8")).long_running.tasks[0]);
  program = await bundleChildProgram(CHILD);
});
afterAll(() => program.remove());

/** Runs the process to its end; null when it was killed. */
async function runProcess(
  name: string,
  input: object,
  boundary: object | null,
): Promise<{ status: string; writes: number } | null> {
  const files = [join(program.folder, `${name}.db`), join(program.folder, `${name}-ledger.db`)];
  const child = program.start([...files, task, JSON.stringify(input), JSON.stringify(boundary)]);
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

describe("the example's order in a real process on SQLite", () => {
  it.each(Object.entries(scenarios))(
    "%s, whichever boundary of its journal the process is killed at",
    async (title, { input, status, undone }) => {
      const prefix = title.replaceAll(/\W+/g, "-");
      const whole = await runProcess(prefix, input, null);
      expect(whole?.status).toBe(status);
      const expected = effects(await ledgerOf(prefix));
      expect(
        expected.filter((effect) => effect.startsWith("compensate")).map((effect) => effect.split(" ")[1]),
      ).toEqual(undone);

      const writes = whole?.writes ?? 0;
      expect(writes).toBeGreaterThan(4);
      let killed = 0;
      for (let call = 1; call <= writes; call++) {
        for (const side of ["before", "after"]) {
          const name = `${prefix}-${call}-${side}`;
          expect(await runProcess(name, input, { call, side }), `${name} is killed`).toBeNull();
          killed += 1;
          expect((await runProcess(name, input, null))?.status, name).toBe(status);
          expect(withoutEmptyCompensations(effects(await ledgerOf(name))), name).toEqual(expected);
        }
      }
      console.info(`order that ${title}: killed at each of ${killed} boundaries, ended ${status} each time`);
    },
    240_000,
  );
});

/** What happened, in order; each idempotency key once, by the ledger's own count of keys. */
function effects(entries: readonly LedgerEntry[]): string[] {
  expect(new Set(entries.map((entry) => entry.key)).size).toBe(entries.length);
  for (const entry of entries) {
    const suffix = entry.kind === "compensate" ? ":compensate" : "";
    expect(entry.key).toBe(`${entry.run}:${entry.stage}${suffix}`);
  }
  expect(new Set(entries.map((entry) => entry.run)).size).toBe(1);
  return entries.map((entry) => `${entry.kind} ${entry.stage}`);
}

/**
 * A step under way when its process was killed may have run, also when its next attempt is refused. It is then
 * compensated with an unknown outcome: a call that finds nothing to undo.
 */
function withoutEmptyCompensations(happened: readonly string[]): string[] {
  return happened.filter(
    (effect) => !effect.startsWith("compensate ") || happened.includes(effect.replace("compensate", "forward")),
  );
}
