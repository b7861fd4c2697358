import { BusinessRefusal, createSagaManager, resolveConfig, type SagaManager } from "@clean-arch/runtime";
import { createMemoryRunStore, createMemoryWorld, type MemoryWorld } from "@clean-arch/runtime/memory";
import { afterEach, expect, it } from "vitest";
import { type Bank, type Mail, refundSaga } from "./refund.js";

const managers: SagaManager[] = [];
afterEach(() => Promise.all(managers.splice(0).map((manager) => manager.close(0))));

/** A process of its own: managers on one world follow each other as processes on one database do. */
async function start(bank: Bank, mail: Mail, world: MemoryWorld = createMemoryWorld()): Promise<SagaManager> {
  const manager = createSagaManager({
    store: createMemoryRunStore({ world }),
    definitions: [refundSaga(bank, mail)],
    participants: {},
    // Short waits keep the test quick.
    config: resolveConfig({ recovery: { maxAttempts: 2, initialDelayMs: 1, maxDelayMs: 1 } }),
    pollMs: 10,
  });
  managers.push(manager);
  await manager.open();
  return manager;
}

function fakeBank(): Bank & { readonly credits: Map<string, number> } {
  const credits = new Map<string, number>();
  return {
    credits,
    credit: async (key, cents) => void credits.set(key, cents),
    debit: async (key) => void credits.delete(key),
  };
}

const input = { order: "A-1", cents: 500 };

it("takes the credit back when the customer cannot be told", async () => {
  const bank = fakeBank();
  const manager = await start(bank, { send: () => Promise.reject(new BusinessRefusal("no such address")) });
  const { id } = await manager.start("refund", input);
  expect(await manager.wait(id, 5_000)).toMatchObject({ status: "compensated", error: { message: "no such address" } });
  expect(bank.credits.size).toBe(0);
});

it("credits once, though the reply of the first attempt is lost", async () => {
  const bank = fakeBank();
  const keys: string[] = [];
  const credit: Bank["credit"] = async (key, cents) => {
    keys.push(key);
    await bank.credit(key, cents);
    if (keys.length === 1) throw new Error("connection lost");
  };
  const manager = await start({ ...bank, credit }, { send: async () => {} });
  const { id } = await manager.start("refund", input);
  expect(await manager.wait(id, 5_000)).toMatchObject({ status: "completed" });
  expect(keys).toEqual([`${id}:credit`, `${id}:credit`]);
  expect([...bank.credits.values()]).toEqual([500]);
});

it("is finished by the next process when the first one dies in the middle", async () => {
  const world = createMemoryWorld();
  const bank = fakeBank();
  let reach = (): void => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const hang = (): Promise<never> => {
    reach();
    return new Promise(() => {});
  };
  const dying = await start(bank, { send: hang }, world);
  const { id } = await dying.start("refund", input);
  await reached;
  await dying.close(0);

  const sent: string[] = [];
  const next = await start(bank, { send: async (_key, text) => void sent.push(text) }, world);
  const run = await next.wait(id, 5_000);
  expect(run.steps.map((step) => [step.name, step.status, step.attempts])).toEqual([
    ["credit", "completed", 1],
    ["tell", "completed", 2],
  ]);
  expect(sent).toEqual(["order A-1 refunded"]);
});
