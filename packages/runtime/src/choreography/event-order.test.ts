import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { abortRequest } from "../engine/abort-request.js";
import { saga } from "../saga/builder.js";
import type { RunStore } from "../store/run-store.js";
import { SagaBench, scripted } from "../testing/saga-bench.test.support.js";
import { HeldBroker } from "./held-broker.test.support.js";
import { stageMessage } from "./stage-events.js";

/** Events come late and in any order, and what a stage is told may meet its end. */
describe("a choreographed saga", () => {
  let bench: SagaBench;
  let broker: HeldBroker;
  let store: RunStore;
  const log: string[] = [];
  const step = (name: string, ...script: unknown[]) => ({
    run: scripted(name, log, script).run,
    compensate: () => void log.push(`undo ${name}`),
  });
  beforeEach(async () => {
    log.length = 0;
    bench = await SagaBench.create("memory");
    broker = new HeldBroker(bench.clock);
    store = bench.store();
  });
  afterEach(() => bench.close());

  it("never begins a stage that hears of the one before it when it has been undone", async () => {
    const definition = saga("s", { style: "choreography" }).step("a", step("a")).step("b", step("b")).build();
    const manager = await bench.open([definition], {}, { store, broker });
    broker.hold("s.a.completed");
    const { id } = await bench.until(manager.start("s", {}));
    await bench.pass(5_000);
    await bench.until(manager.act(id, "cancel", { actor: "me", reason: "changed my mind", idempotencyKey: "1" }));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "cancelled" });
    broker.letGo("s.a.completed");
    await bench.pass(5_000);
    expect(log).toEqual(["a", "undo a"]);
  });

  it("undoes a stage that was told to in the moment of its end", async () => {
    const append = store.append.bind(store);
    store.append = async (appends) => {
      const ending = appends.find(({ records }) => records.some(({ kind }) => kind === "finished"));
      const run = ending === undefined ? undefined : await store.get(ending.run);
      if (run?.definition === "s.a" && run.rootId !== run.id) {
        const payload = { reason: "too late to be read" };
        const told = {
          run: run.id,
          id: abortRequest(run.rootId, false),
          kind: "verb",
          name: "cancel",
          payload,
        } as const;
        await store.signal([{ ...told, actor: "choreography" }]);
      }
      return append(appends);
    };
    const slow = async () => {
      await bench.later(2_000);
      log.push("a");
    };
    const definition = saga("s", { style: "choreography" })
      .step("a", { run: slow, compensate: () => void log.push("undo a") })
      .build();
    const manager = await bench.open([definition], {}, { store, broker });
    // The wish has come to the stage by then, as above.
    broker.hold("s.abort");
    const { id } = await bench.until(manager.start("s", {}));
    await bench.pass(1_000);
    await bench.until(manager.act(id, "cancel", { actor: "me", reason: "changed my mind", idempotencyKey: "1" }));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "cancelled" });
    expect(log).toEqual(["a", "undo a"]);
  });

  it("goes on past its pivot when the wish to undo it comes later", async () => {
    const definition = saga("s", { style: "choreography" })
      .step("a", step("a"))
      .pivot()
      .step("b", step("b"))
      .step("c", step("c"))
      .build();
    const manager = await bench.open([definition], {}, { store, broker });
    broker.hold("s.b.completed");
    const { id } = await bench.until(manager.start("s", {}));
    await bench.pass(5_000);
    const { name, version } = definition;
    const bare = { carried: null, error: null, refused: false, isLate: false, output: null, changed: null } as const;
    const abort = { ...bare, id: `${id}:abort`, saga: name, version, run: id, unit: null, news: "abort" } as const;
    broker.bring(stageMessage(abort, "/sagas/s", bench.clock.now()));
    await bench.pass(5_000);
    broker.letGo("s.b.completed");
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "completed" });
    expect(log).toEqual(["a", "b", "c"]);
  });
});
