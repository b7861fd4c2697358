import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JournalRow } from "../engine/records.js";
import type { RunStatus } from "../index.js";
import { bundleChildProgram, type ChildProgram } from "../testing/child-program.test.support.js";

const here = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

/**
 * A service process on an SQLite file. Its poison runs kill it, at a time when attempts of its innocent ones are under way. It
 * starts all of them, under keys, and says what became of them once nothing of any goes on.
 */
const CHILD = `
import { createSagaManager, resolveConfig, saga } from ${here("../index.ts")};
import { createSqliteRunStore } from ${here("../stores/sqlite/index.ts")};
import { setTimeout as delay } from "node:timers/promises";

const [, , file, innocents, poisons] = process.argv;
const work = async () => {
  // Longer than it takes the others to kill the process: it is under way in every crash unless somebody sees to it.
  await delay(200);
  return {};
};
const die = async () => {
  await delay(30);
  process.kill(process.pid, "SIGKILL");
  await delay(60_000);
};
const manager = createSagaManager({
  store: createSqliteRunStore({ file }),
  definitions: [
    saga("innocent").step("a", { run: work }).step("b", { run: work }).step("c", { run: work }).build(),
    saga("poison").step("a", { run: () => 1 }).step("kills", { run: die }).build(),
  ],
  participants: {},
  config: resolveConfig({ recovery: { leaseMs: 300, initialDelayMs: 10 } }),
  pollMs: 20,
});
await manager.open();
const start = (name, n) => manager.start(name, {}, { idempotencyKey: name + n });
const runs = await Promise.all([
  ...Array.from({ length: Number(innocents) }, (_, n) => start("innocent", n)),
  ...Array.from({ length: Number(poisons) }, (_, n) => start("poison", n)),
]);
for (;;) {
  const views = await Promise.all(runs.map(({ id }) => manager.get(id)));
  if (views.every(({ status }) => ["completed", "stuck"].includes(status))) {
    const told = views.map(async ({ id, definition, status, error }) => ({ definition, status, error, rows: await manager.journal(id) }));
    console.log(JSON.stringify(await Promise.all(told)));
    await manager.close(0);
    process.exit(0);
  }
  await delay(20);
}
`;

interface Told {
  readonly definition: "innocent" | "poison";
  readonly status: RunStatus;
  readonly error: { readonly code: string } | null;
  readonly rows: readonly JournalRow[];
}

let program: ChildProgram;
beforeAll(async () => {
  program = await bundleChildProgram(CHILD);
});
afterAll(() => program.remove());

/** Starts the process again and again, until one is not killed. */
async function liveAndDie(innocents: number, poisons: number): Promise<{ deaths: number; told: readonly Told[] }> {
  const file = join(program.folder, `${innocents}-${poisons}.db`);
  for (let deaths = 0; ; deaths++) {
    const child = program.start([file, String(innocents), String(poisons)]);
    let [output, complaint] = ["", ""];
    child.stdout.on("data", (chunk) => {
      output += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      complaint += String(chunk);
    });
    const [code, signal] = await once(child, "close");
    if (signal !== "SIGKILL") {
      expect(code, complaint).toBe(0);
      return { deaths, told: JSON.parse(output) };
    }
    expect(deaths, "the process dies without end").toBeLessThan(20);
  }
}

describe("runs that kill their process", () => {
  it.each([
    [1, 1],
    [8, 1],
    [8, 2],
  ])(
    "are parked, and the %i innocent ones beside %i of them complete and never are",
    async (innocents, poisons) => {
      const { deaths, told } = await liveAndDie(innocents, poisons);
      const byName = (name: string) => told.filter(({ definition }) => definition === name);
      expect(byName("poison").map(({ status, error }) => [status, error?.code])).toEqual(
        Array(poisons).fill(["stuck", "poison"]),
      );
      expect(byName("innocent").map(({ status }) => status)).toEqual(Array(innocents).fill("completed"));
      for (const { rows } of byName("innocent"))
        expect(rows.flatMap(({ records }) => records).filter(({ kind }) => kind === "stuck")).toEqual([]);
      // Each poison run is under way in two crashes, which make it a suspect and do not count, and dies three times in isolation.
      expect(deaths).toBeGreaterThanOrEqual(2 + 3 * poisons);
      expect(deaths).toBeLessThanOrEqual(5 * poisons);
    },
    120_000,
  );
});
