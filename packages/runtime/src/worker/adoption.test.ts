import { expect, it } from "vitest";
import { resolveConfig } from "../config.js";
import type { Logger } from "../log.js";
import { saga } from "../saga/builder.js";
import { createSagaManager } from "../saga/saga-manager.js";
import { createMemoryRunStore } from "../stores/memory/index.js";

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

it("a run that ended while a renewal was on its way is not taken for one that nobody drives", async () => {
  const store = createMemoryRunStore();
  const [renewing, created, answered, ended] = [gate(), gate(), gate(), gate()];
  const { renew, create } = { renew: store.renew.bind(store), create: store.create.bind(store) };
  let renewals = 0;
  store.renew = async (request) => {
    renewals += 1;
    if (renewals !== 2) return renew(request);
    // Sent before the run was there, answered by the store after it was, and on its way until it has ended.
    renewing.open();
    await created.opened;
    const result = await renew(request);
    expect(result).toMatchObject({ adopted: [{ run: { definition: "quick" } }] });
    answered.open();
    await ended.opened;
    return result;
  };
  store.create = async (runs) => {
    const results = await create(runs);
    created.open();
    return results;
  };
  const complaints: string[] = [];
  const complain = (_: object, message: string): void => void complaints.push(message);
  const logger: Logger = { debug: () => {}, info: () => {}, warn: complain, error: complain };
  const quick = saga("quick")
    .step("a", { run: () => answered.opened })
    .build();
  const manager = createSagaManager({
    ...{ store, definitions: [quick], participants: {}, logger },
    config: resolveConfig({}),
  });
  await manager.open();
  await renewing.opened;
  const { id } = await manager.start("quick", {});
  expect((await manager.wait(id, 10_000)).status).toBe("completed");
  ended.open();
  await manager.close();
  expect(complaints).toEqual([]);
});
