import { afterEach, beforeEach, expect, it } from "vitest";
import type { Broker } from "../broker/broker.js";
import { createLocalBroker } from "../brokers/local/index.js";
import { RuntimeError } from "../errors.js";
import { saga } from "../saga/builder.js";
import { SagaBench } from "../testing/saga-bench.test.support.js";

let bench: SagaBench;
beforeEach(async () => {
  bench = await SagaBench.create("memory");
});
afterEach(() => bench.close());

it.each(["broker-unavailable", "broker-incompatible"] as const)(
  "runs wait, and health says why, while the broker is %s; they go on once it takes the service in",
  async (code) => {
    const store = bench.store();
    if (store.events === undefined) return expect.unreachable();
    const ports = { clock: bench.clock, random: { bytes: (n: number) => new Uint8Array(n), float: () => 0.5 } };
    const real = createLocalBroker({ store: store.events, now: () => store.now(), ports });
    let isRight = false;
    const broker: Broker = {
      ...real,
      subscribe: async (subscription) => {
        if (!isRight) throw new RuntimeError(code, "expected a stream of other limits");
        return real.subscribe(subscription);
      },
    };
    const definition = saga("s", { style: "choreography" })
      .step("a", { run: () => null })
      .build();
    const manager = await bench.open([definition], {}, { store, broker, relays: false });
    const { id } = await bench.until(manager.start("s", {}));
    await bench.pass(20_000);
    const detail = "events wait: expected a stream of other limits";
    expect(await bench.until(manager.health())).toMatchObject({ ok: false, detail });
    isRight = true;
    expect((await bench.until(manager.wait(id, 60_000))).status).toBe("completed");
    expect(await bench.until(manager.health())).toMatchObject({ ok: true });
  },
);
