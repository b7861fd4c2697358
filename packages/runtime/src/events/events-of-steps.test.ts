import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { saga } from "../saga/builder.js";
import { SHARDS } from "../store/event-store.js";
import type { RunStore } from "../store/run-store.js";
import { SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { cloudEvent, eventMessage } from "./cloud-event.js";

describe.each(STORE_KINDS)("an event that a step puts within its transaction, over %s", (kind) => {
  let bench: SagaBench;
  let store: RunStore;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
    store = bench.store();
  });
  afterEach(() => bench.close());

  const put = (client: unknown, id: string) =>
    store.events?.putWithin(client, [eventMessage(cloudEvent({ id, source: "/test", type: "test.put", data: {} }))]);

  async function ids(): Promise<string[]> {
    const shards = await Promise.all(Array.from({ length: SHARDS }, (_, n) => store.events?.read(n, null, 10)));
    return shards.flatMap((events) => events?.map(({ event }) => event.id) ?? []);
  }

  it("leaves with the step's effect, or not at all", async () => {
    const definition = saga("s")
      .step("a", { run: ({ transaction }) => transaction((client) => void put(client, "kept")) })
      .step("b", {
        run: ({ transaction }) =>
          transaction((client) => {
            void put(client, "dropped");
            throw new BusinessRefusal("no");
          }),
      })
      .build();
    const manager = await bench.open([definition], {}, { store });
    expect(await bench.toEnd(manager, "s")).toMatchObject({ status: "compensated" });
    expect(await ids()).toEqual(["kept"]);
  });
});
