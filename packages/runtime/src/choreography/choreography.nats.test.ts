import { type Nats, startNats } from "@clean-arch/test-servers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createNatsBroker } from "../brokers/nats/index.js";
import { resolveConfig } from "../config.js";
import { BusinessRefusal } from "../errors.js";
import { saga } from "../saga/builder.js";
import { createSagaManager } from "../saga/saga-manager.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";

let server: Nats;
beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.remove());

/** Instances of one service: one store, a broker each. */
function createService(instances: number, stream: string) {
  const world = createMemoryWorld();
  const effects: string[] = [];
  const act = (name: string) => ({
    run: ({ input }: { readonly input: unknown }) => {
      const { n } = input as { n: number };
      if (name === "pay" && n % 3 === 0) throw new BusinessRefusal("declined");
      effects.push(`${name} ${n}`);
    },
    compensate: ({ input }: { readonly input: unknown }) =>
      void effects.push(`undo ${name} ${(input as { n: number }).n}`),
  });
  const definition = saga("order", { style: "choreography" })
    .step("reserve", act("reserve"))
    .step("pay", act("pay"))
    .step("ship", act("ship"))
    .build();
  const managers = Array.from({ length: instances }, () =>
    createSagaManager({
      ...{ store: createMemoryRunStore({ world }), definitions: [definition], participants: {} },
      config: resolveConfig({ recovery: { leaseMs: 2_000 } }),
      broker: createNatsBroker({ servers: server.url, stream, prefix: stream }),
    }),
  );
  return { managers, effects };
}

const ORDERS = 40;

async function placeOrders(managers: ReturnType<typeof createService>["managers"]): Promise<string[]> {
  const started = Array.from({ length: ORDERS }, (_, n) => managers[n % managers.length]?.start("order", { n }));
  return (await Promise.all(started)).map((run) => run?.id ?? "");
}

function expectEachOnce(effects: readonly string[]): void {
  const expected = Array.from({ length: ORDERS }, (_, n) =>
    n % 3 === 0 ? [`reserve ${n}`, `undo reserve ${n}`] : [`reserve ${n}`, `pay ${n}`, `ship ${n}`],
  );
  expect([...effects].sort()).toEqual(expected.flat().sort());
}

it("instances share the events of their runs over NATS, and every effect happens once", async () => {
  const { managers, effects } = createService(2, "shared");
  await Promise.all(managers.map((manager) => manager.open()));
  const ids = await placeOrders(managers);
  const ends = await Promise.all(ids.map((id) => managers[0]?.wait(id, 15_000)));
  expect(ends.map((run) => run?.status)).toEqual(
    Array.from({ length: ORDERS }, (_, n) => (n % 3 === 0 ? "compensated" : "completed")),
  );
  expectEachOnce(effects);
  await Promise.all(managers.map((manager) => manager.close(1_000)));
});

it("runs that are started while NATS is away wait in the outbox, and health says so", async () => {
  const { managers, effects } = createService(1, "away");
  const [manager] = managers;
  if (manager === undefined) throw new Error("expected an instance");
  await server.kill();
  await manager.open();
  const ids = await placeOrders(managers);
  expect(await manager.health()).toMatchObject({ ok: false, detail: expect.stringContaining("events wait") });
  await server.start();
  const ends = await Promise.all(ids.map((id) => manager.wait(id, 15_000)));
  expect(ends.every(({ status }) => status === "completed" || status === "compensated")).toBe(true);
  expectEachOnce(effects);
  expect(await manager.health()).toMatchObject({ ok: true });
  await manager.close(1_000);
});

it("going from one instance to four and back loses nothing and does nothing twice", async () => {
  const { managers, effects } = createService(4, "scaled");
  const [first, ...others] = managers;
  if (first === undefined) throw new Error("expected an instance");
  await first.open();
  const ids = await placeOrders([first]);
  // Each comes, and goes, while there is work.
  await Promise.all(others.map((manager) => manager.open()));
  const more = Promise.all(ids.slice(0, 20).map((id) => first.wait(id, 20_000)));
  await Promise.all(others.map((manager) => manager.close(1_000)));
  const ends = [...(await more), ...(await Promise.all(ids.slice(20).map((id) => first.wait(id, 20_000))))];
  expect(ends.map(({ status }) => status)).toEqual(
    Array.from({ length: ORDERS }, (_, n) => (n % 3 === 0 ? "compensated" : "completed")),
  );
  expectEachOnce(effects);
  await first.close(1_000);
});
