/**
 * A generated service in a real process, killed with SIGKILL at random moments while orders run, and started again each
 * time: nothing is lost, nothing is done twice. `KILLS=40` kills it more often than the default.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "./free-port.js";
import { run, start, stop } from "./process.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const KILLS = Number(process.env.KILLS ?? 8);
const ORDERS = 20;
const OPERATOR_TOKEN = "operator-token-of-the-kills";
const asOperator = { authorization: `Bearer ${OPERATOR_TOKEN}` };

interface Run {
  readonly id: string;
  readonly status: string;
  readonly steps: readonly { readonly name: string; readonly status: string }[];
}

interface Effect {
  readonly key: string;
  readonly run: string;
  readonly stage: string;
  readonly kind: "forward" | "compensate";
}

let folder: string;
let service: string;
let url: string;
let current: ReturnType<typeof start> | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "clean-arch-kill-"));
  service = join(folder, "order-service");
  const cli = join(root, "packages/generator/bin/clean-arch-generator.js");
  const config = join(root, "examples/example-config-session.yaml");
  for (const [command, args, cwd] of [
    [process.execPath, [cli, "--config", config, "--out", service], root],
    ["npm", ["ci", "--no-audit", "--no-fund"], service],
    ["npm", ["run", "build"], service],
  ] as const) {
    const { code, output } = await run(command, args, { cwd });
    expect(code, output).toBe(0);
  }
}, 180_000);
afterAll(async () => {
  if (current !== undefined) await stop(current.child, "SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** The kind of order by its number: every way a run can go. */
const KINDS: readonly { readonly end: string; readonly simulate: object }[] = [
  { end: "completed", simulate: {} },
  { end: "completed", simulate: { process_payment: { delay_ms: 300 }, ship_order: { delay_ms: 200 } } },
  { end: "compensated", simulate: { process_payment: { status: 402, delay_ms: 200 } } },
  { end: "completed", simulate: { reserve_inventory: { fail_times: 2 } } },
  {
    end: "stuck",
    simulate: { ship_order: { status: 410, delay_ms: 150 }, process_payment: { compensate: { status: 422 } } },
  },
];
const kindOf = (order: number) => KINDS[order % KINDS.length] as (typeof KINDS)[number];

it(
  `loses no run and no session and does nothing twice over ${KILLS} kills`,
  async () => {
    url = `http://127.0.0.1:${await freePort()}`;
    let running = boot();
    const session = await answered(() => post("/api/v1/sessions", { transport: "bearer", data: { cart: 1 } }));
    const placing = Promise.all(
      Array.from({ length: ORDERS }, async (_, order) => {
        await sleep((order * KILLS * 700) / ORDERS);
        const input = { order, simulate: kindOf(order).simulate };
        return answered(() =>
          post("/api/v1/sagas/order_processing", { input }, { "idempotency-key": `order-${order}` }),
        );
      }),
    );
    for (let kills = 0; kills < KILLS; kills += 1) {
      await untilActive();
      await sleep(Math.random() * 500);
      await stop(running.child, "SIGKILL");
      running = boot();
    }
    await untilActive();
    const started = (await placing) as { readonly id: string }[];
    expect(new Set(started.map(({ id }) => id)).size).toBe(ORDERS);
    const runs = await Promise.all(started.map(({ id }, order) => untilStatus(id, kindOf(order).end)));
    expect((await get<{ items: unknown[] }>("/api/v1/runs?limit=200", asOperator)).items).toHaveLength(ORDERS);
    checkEffects(runs, await ledger());
    const bearer = { authorization: `Bearer ${session.token}` };
    expect(await get("/api/v1/sessions/current", bearer)).toMatchObject({ id: session.id, data: { cart: 1 } });
    expect(await stop(running.child, "SIGTERM"), running.output()).toBe(0);
    expect(integrity()).toBe("ok");
  },
  60_000 + KILLS * 4_000,
);

/** Every effect once per key; of a completed run all, of an undone one each with what undoes it. */
function checkEffects(runs: readonly Run[], effects: readonly Effect[]): void {
  expect(new Set(effects.map(({ key }) => key)).size).toBe(effects.length);
  for (const { id, status, steps } of runs) {
    const done = (kind: Effect["kind"]) =>
      effects.filter((effect) => effect.run === id && effect.kind === kind).map(({ stage }) => stage);
    if (status === "completed") {
      expect(done("forward")).toEqual(["reserve_inventory", "process_payment", "ship_order"]);
      expect(done("compensate")).toEqual([]);
      expect(steps.every((step) => step.status === "completed")).toBe(true);
    } else if (status === "compensated") {
      // A call that a kill cut off may have run, so its step is undone as well, effect or not.
      const undone = done("compensate");
      expect(undone.filter((stage) => done("forward").includes(stage))).toEqual(done("forward").reverse());
      expect(["process_payment", "reserve_inventory"]).toEqual(expect.arrayContaining(undone));
    } else expect(done("forward")).toEqual(["reserve_inventory", "process_payment"]);
  }
}

function boot() {
  const { port } = new URL(url);
  // The shortest lease: a new process waits for the end of its dead predecessor's.
  const env = { HTTP_PORT: port, HTTP_HOST: "127.0.0.1", OPERATOR_TOKEN, SESSION_RECOVERY_LEASE: "1s" };
  current = start(process.execPath, ["dist/main.js"], { cwd: service, env });
  return current;
}

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

async function get<Body>(path: string, headers: Record<string, string> = {}): Promise<Body> {
  const response = await fetch(`${url}${path}`, { headers });
  expect(response.status, path).toBe(200);
  return (await response.json()) as Body;
}

/** As a client does it: asks again, with the same key, until it has an answer. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the service answers.
async function answered(call: () => Promise<Response>): Promise<any> {
  for (;;) {
    try {
      const response = await call();
      const body = await response.json();
      if (response.ok) return body;
      expect(response.status, JSON.stringify(body)).toBeGreaterThanOrEqual(500);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await sleep(25);
  }
}

async function untilActive(): Promise<void> {
  for (;;) {
    const { dependencies } = await answered(() => fetch(`${url}/health/ready`));
    if (dependencies.runs.detail === "active") return;
    await sleep(25);
  }
}

async function untilStatus(id: string, status: string): Promise<Run> {
  for (;;) {
    const run = await get<Run>(`/api/v1/runs/${id}`);
    if (run.status === status) return run;
    expect(["completed", "compensated", "failed", "cancelled", "stuck"], `${id} of ${status}`).not.toContain(
      run.status,
    );
    await sleep(50);
  }
}

async function ledger(): Promise<Effect[]> {
  const effects: Effect[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: { items: Effect[]; next_cursor: string | null } = await get(
      `/simulated/ledger?limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    effects.push(...page.items);
    cursor = page.next_cursor;
  }
  return effects;
}

/** With the driver the service itself uses. */
function integrity(): unknown {
  const Database = createRequire(join(service, "package.json"))("libsql");
  const database = new Database(join(service, "data/order-service.db"));
  try {
    return database.prepare("pragma integrity_check").all()[0].integrity_check;
  } finally {
    database.close();
  }
}
