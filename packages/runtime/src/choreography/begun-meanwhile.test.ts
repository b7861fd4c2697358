import { afterEach, expect, it } from "vitest";
import { saga } from "../saga/builder.js";
import type { RunStore } from "../store/run-store.js";
import { SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { unitRunId } from "./unit-entry.js";

let bench: SagaBench;
afterEach(() => bench.close());

it.each(STORE_KINDS)(
  "a stage that begins in the moment in which it is to be undone is told so, over %s",
  async (kind) => {
    bench = await SagaBench.create(kind);
    const log: string[] = [];
    const definition = saga("s", { style: "choreography" })
      .step("a", {
        run: async () => {
          await bench.later(2_000);
          log.push("a");
        },
        compensate: () => void log.push("undo a"),
      })
      .build();
    let unseen = "";
    const store = bench.store();
    const late = new Proxy(store, {
      get(target, name) {
        if (name === "get") return (id: string): ReturnType<RunStore["get"]> => lookUp(id);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    // Whoever looks for it once looks too early.
    const lookUp: RunStore["get"] = (id) => {
      if (id !== unseen) return store.get(id);
      unseen = "";
      return Promise.resolve(undefined);
    };
    const manager = await bench.open([definition], {}, { store: late });
    const { id } = await bench.until(manager.start("s", {}));
    await bench.pass(1_000);
    unseen = unitRunId(id, "a");
    await bench.until(manager.act(id, "cancel", { actor: "me", reason: "changed my mind", idempotencyKey: "1" }));
    expect((await bench.until(manager.wait(id, 60_000))).status).toBe("cancelled");
    expect(log).toEqual(["a", "undo a"]);
    expect(unseen).toBe("");
  },
);
