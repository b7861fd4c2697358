import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSqliteRunStore } from "../stores/sqlite/index.js";
import { bundleChildProgram, type ChildProgram } from "../testing/child-program.test.support.js";

const here = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

/** A service process with an hourly schedule, at a time of the test's. Kills itself on one side of the tick's write, or waits for the run's end. */
const CHILD = `
import { createSagaManager, resolveConfig, saga, systemPorts } from ${here("../index.ts")};
import { createSqliteRunStore } from ${here("../stores/sqlite/index.ts")};

const [, , file, now, tick, side] = process.argv;
const offset = Number(now) - Date.now();
const store = createSqliteRunStore({ file, clock: { ...systemPorts.clock, now: () => Date.now() + offset } });
const { schedules } = store;
const kill = () => process.kill(process.pid, "SIGKILL");
let told;
const begun = new Promise((resolve) => { told = resolve; });
const manager = createSagaManager({
  store: { ...store, schedules: { ...schedules,
    async register(...args) {
      const result = await schedules.register(...args);
      if (side === "register") kill();
      return result;
    },
    async tick(request) {
      if (side === "before") kill();
      const result = await schedules.tick(request);
      if (side === "after") kill();
      if (result.kind === "started") told(result.run.id);
      return result;
    } } },
  definitions: [saga("report", { schedule: { cron: "0 * * * *" } }).step("make", { run: () => null }).build()],
  participants: {},
  config: resolveConfig({ recovery: { leaseMs: 300 } }),
  pollMs: 20,
});
await manager.open();
const [known] = await manager.schedules();
const id = known?.lastRun?.tick === Number(tick) ? known.lastRun.id : await begun;
const run = await manager.wait(id, 20_000);
await manager.close();
console.log(run.status);
`;

let program: ChildProgram;
beforeAll(async () => {
  program = await bundleChildProgram(CHILD);
});
afterAll(() => program.remove());

const HOUR_MS = 3_600_000;
const FIRST = Date.UTC(2030, 0, 1, 12);

it("gives each tick one run, whichever side of its write the process is killed on", async () => {
  const file = join(program.folder, "runs.db");
  const at = async (now: number, tick: number, side: string): Promise<string> => {
    const child = program.start([file, String(now), String(tick), side]);
    let [output, complaint] = ["", ""];
    child.stdout.on("data", (chunk) => {
      output += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      complaint += String(chunk);
    });
    const [code, signal] = await once(child, "close");
    if (signal === "SIGKILL") return "killed";
    expect(code, complaint).toBe(0);
    return output.trim();
  };
  expect(await at(FIRST - HOUR_MS / 2, FIRST, "register")).toBe("killed");
  for (const tick of [FIRST, FIRST + HOUR_MS, FIRST + 2 * HOUR_MS]) {
    expect(await at(tick + 1_000, tick, "before")).toBe("killed");
    expect(await at(tick + 10_000, tick, "after")).toBe("killed");
    expect(await at(tick + 20_000, tick, "never")).toBe("completed");
  }
  const store = createSqliteRunStore({ file });
  await store.open();
  const { items } = await store.list({ limit: 100 });
  const schedules = await store.schedules?.list();
  await store.close();
  expect(items.map(({ key }) => key).reverse()).toEqual(
    [12, 13, 14].map((hour) => `schedule:report:2030-01-01T${hour}:00:00.000Z`),
  );
  expect(schedules?.rows).toMatchObject([{ missed: 0, skipped: 0, lastTick: FIRST + 2 * HOUR_MS }]);
}, 120_000);
