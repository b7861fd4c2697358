import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JournalRecord } from "../engine/records.js";
import { BusinessRefusal } from "../errors.js";
import { MAX_UNREAD } from "../store/run-store.js";
import { SagaBench, STORE_KINDS, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import type { RunVerb, SagaManager, VerbRequest } from "./manager.js";

const MANUAL = { recovery: { strategy: "manual" } } as const;

describe.each(STORE_KINDS)("a saga manager over %s, led by operators", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  function act(manager: SagaManager, id: string, verb: RunVerb, more: Partial<VerbRequest> = {}): Promise<void> {
    return bench.until(manager.act(id, verb, { reason: "because", actor: "ann", ...more }));
  }

  async function records(manager: SagaManager, id: string): Promise<JournalRecord[]> {
    return (await manager.journal(id)).flatMap((row) => row.records);
  }

  it("pauses: what is under way ends, nothing follows, also in the next process, until somebody resumes it", async () => {
    const log: string[] = [];
    const slow = saga("s", { timeout: "1m" })
      .step("a", {
        run: async () => {
          await bench.later(2_000);
          log.push("a");
        },
      })
      .step("b", { run: () => log.push("b") })
      .build();
    const first = await bench.open([slow]);
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(500);
    await act(first, id, "pause");
    await bench.toStatus(first, id, "paused");
    await bench.pass(10_000);
    expect([log, (await first.get(id)).status]).toEqual([["a"], "paused"]);
    expect((await bench.until(first.metrics())).parkedRuns).toBe(1);
    await bench.until(first.close());

    const second = await bench.open([slow]);
    await bench.pass(120_000);
    expect((await second.get(id)).status).toBe("paused");
    await act(second, id, "resume", { reason: "go on" });
    expect(await bench.until(second.wait(id, 30_000))).toMatchObject({ status: "completed", error: null });
    expect(log).toEqual(["a", "b"]);
    expect(await records(second, id)).toEqual(
      expect.arrayContaining([
        { kind: "paused", actor: "ann", reason: "because", request: expect.any(String) },
        { kind: "resumed", actor: "ann", reason: "go on", request: expect.any(String) },
      ]),
    );
  });

  it("answers the same request as the first time, after it took effect and after the run ended", async () => {
    const manager = await bench.open([
      saga("s")
        .step("a", { run: () => bench.later(1_000) })
        .step("b", { run: () => 1 })
        .build(),
    ]);
    const { id } = await bench.until(manager.start("s", {}));
    const request = { idempotencyKey: "once" };
    await act(manager, id, "pause", request);
    await bench.toStatus(manager, id, "paused");
    await act(manager, id, "pause", request);
    await expect(act(manager, id, "pause", { idempotencyKey: "another" })).rejects.toMatchObject({
      code: "verb-forbidden",
      status: 409,
    });
    await bench.pass(1_500);
    await act(manager, id, "abandon", request);
    expect((await bench.until(manager.wait(id, 60_000))).status).toBe("failed");
    await act(manager, id, "pause", request);
    await act(manager, id, "abandon", request);
    const answered = (await records(manager, id)).filter((record) => "request" in record);
    expect(answered.map(({ kind }) => kind)).toEqual(["paused", "finished"]);
  });

  it("compensates at once, in reverse, and not past the pivot", async () => {
    const log: string[] = [];
    const step = (name: string) => ({ run: () => log.push(name), compensate: () => log.push(`undo ${name}`) });
    const hangs = { run: () => bench.later(5_000), compensate: () => log.push("undo slow") };
    const before = saga("before").step("a", step("a")).step("slow", hangs).step("never", step("never")).build();
    const after = saga("after").step("a", step("a")).pivot().step("slow", hangs).build();
    const manager = await bench.open([before, after]);
    const { id } = await bench.until(manager.start("before", {}));
    await bench.pass(500);
    await act(manager, id, "compensate", { reason: "recalled" });
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({
      status: "compensated",
      rollbackStatus: "done",
      error: { code: "compensated", message: "compensated by ann: recalled" },
    });
    expect(log).toEqual(["a", "undo slow", "undo a"]);

    const past = await bench.until(manager.start("after", {}));
    await bench.pass(500);
    await expect(act(manager, past.id, "compensate")).rejects.toMatchObject({
      code: "verb-forbidden",
      message: expect.stringContaining("past its pivot"),
    });
  });

  it("retries a stuck run from where it is, under the same key", async () => {
    const log: string[] = [];
    const b = scripted("b", log, [new BusinessRefusal("closed"), { open: true }]);
    const definition = saga("s")
      .step("a", { run: scripted("a", log).run })
      .step("b", { run: b.run })
      .build();
    const manager = await bench.open([definition], MANUAL);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    await act(manager, id, "retry");
    expect((await bench.until(manager.wait(id, 60_000))).status).toBe("completed");
    expect(log).toEqual(["a", "b", "b"]);
    expect(b.calls.map(({ idempotencyKey }) => idempotencyKey)).toEqual([`${id}:b`, `${id}:b`]);
  });

  it("retries from a step: undoes down to it, and runs it again in a new round, in whatever process", async () => {
    const log: string[] = [];
    const keys: string[] = [];
    const undo = (name: string) => (call: { idempotencyKey: string; forwardKey: string }) => {
      log.push(`undo ${name}`);
      keys.push(call.forwardKey, call.idempotencyKey);
    };
    const a = scripted("a", log, [{ price: 1 }, { price: 2 }]);
    const b = scripted("b", log);
    const c = scripted("c", log, [new BusinessRefusal("too late"), new BusinessRefusal("still")]);
    const definition = saga("s")
      .step("first", { run: scripted("first", log).run })
      .step("a", { run: a.run, compensate: undo("a") })
      .step("b", { run: b.run, compensate: undo("b") })
      .step("c", { run: c.run })
      .build();
    const first = await bench.open([definition], MANUAL);
    const { id } = await bench.until(first.start("s", {}));
    await bench.toStatus(first, id, "stuck");
    await bench.until(first.close());
    const second = await bench.open([definition], MANUAL);
    await act(second, id, "retry", { step: "a" });
    while (c.calls.length < 2) await bench.pass(50);
    await bench.toStatus(second, id, "stuck");
    expect(log).toEqual(["first", "a", "b", "c", "undo b", "undo a", "a", "b", "c"]);
    expect(keys).toEqual([`${id}:b`, `${id}:b:compensate`, `${id}:a`, `${id}:a:compensate`]);
    expect(b.calls.map(({ idempotencyKey, attempt }) => [idempotencyKey, attempt])).toEqual([
      [`${id}:b`, 1],
      [`${id}:b:r2`, 1],
    ]);
    expect((await second.get(id)).steps.map(({ name, round }) => [name, round])).toEqual([
      ["first", 1],
      ["a", 2],
      ["b", 2],
      ["c", 2],
    ]);
    await act(second, id, "compensate");
    expect((await bench.until(second.wait(id, 60_000))).status).toBe("compensated");
    expect(keys.slice(4)).toEqual([`${id}:b:r2`, `${id}:b:r2:compensate`, `${id}:a:r2`, `${id}:a:r2:compensate`]);
  });

  it("goes forward again when undoing is stuck: what stands is not done again", async () => {
    const log: string[] = [];
    const ship = scripted("ship", log, [new BusinessRefusal("no address"), { ok: true }]);
    const definition = saga("s")
      .step("pay", {
        run: scripted("pay", log).run,
        compensate: () => {
          throw new BusinessRefusal("cannot refund");
        },
      })
      .step("pack", { run: scripted("pack", log).run, compensate: () => log.push("unpack") })
      .step("ship", { run: ship.run })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    expect(await manager.get(id)).toMatchObject({ rollbackStatus: "incomplete" });
    await expect(act(manager, id, "retry", { step: "ship" })).rejects.toMatchObject({
      message: expect.stringContaining("name one of pay"),
    });
    await act(manager, id, "retry", { reason: "address found" });
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({
      status: "completed",
      rollbackStatus: "none",
      error: null,
    });
    expect(log).toEqual(["pay", "pack", "ship", "unpack", "pack", "ship"]);
  });

  it("skips a step past the pivot that does not succeed: its output is null", async () => {
    const seen: unknown[] = [];
    const definition = saga("s")
      .step("pay", { run: () => ({ id: 1 }) })
      .pivot()
      .step("mail", {
        run: () => {
          throw new BusinessRefusal("no such address");
        },
      })
      .step("close", { run: ({ outputs }) => void seen.push(outputs.mail) })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    await bench.toStatus(manager, id, "stuck");
    await act(manager, id, "skip", { reason: "told by phone" });
    const run = await bench.until(manager.wait(id, 60_000));
    expect(run.status).toBe("completed");
    expect(run.steps.map(({ name, status, output }) => [name, status, output])).toEqual([
      ["pay", "completed", { id: 1 }],
      ["mail", "skipped", null],
      ["close", "completed", null],
    ]);
    expect(seen).toEqual([null]);
    expect(await records(manager, id)).toContainEqual({
      ...{ kind: "step-skipped", step: "mail", actor: "ann", reason: "told by phone" },
      request: expect.any(String),
    });
  });

  it("says of each verb why the state of a running run forbids it, and changes nothing", async () => {
    const manager = await bench.open([
      saga("s")
        .step("a", { run: () => bench.later(5_000) })
        .build(),
    ]);
    const { id } = await bench.until(manager.start("s", {}));
    for (const verb of ["resume", "retry", "skip", "abandon"] as const)
      await expect(act(manager, id, verb), verb).rejects.toMatchObject({ code: "verb-forbidden" });
    await expect(act(manager, id, "pause", { step: "a" })).rejects.toMatchObject({ code: "input-invalid" });
    await expect(act(manager, id, "stop" as never)).rejects.toMatchObject({ code: "input-invalid" });
    expect((await bench.until(manager.wait(id, 60_000))).status).toBe("completed");
    for (const verb of ["cancel", "pause", "resume", "retry", "compensate", "skip", "abandon"] as const)
      await expect(act(manager, id, verb), verb).rejects.toMatchObject({ code: "verb-forbidden" });
  });

  it("refuses a request when too many lie unread, with a code that says so", async () => {
    const definition = saga("s")
      .step("a", { run: () => 1 })
      .build();
    const only = saga("another")
      .step("a", { run: () => bench.later(5_000) })
      .build();
    const manager = await bench.open([definition, only], {}, { maxRuns: 1 });
    await bench.until(manager.start("another", {}));
    // Nobody reads its inbox: this process drives as many runs as it may.
    const { id } = await bench.until(manager.start("s", {}));
    const asked = Array.from({ length: MAX_UNREAD }, (_, n) =>
      manager.act(id, "cancel", { reason: "why not", actor: "ann", idempotencyKey: `k${n}` }),
    );
    await bench.until(Promise.all(asked));
    await expect(act(manager, id, "pause")).rejects.toMatchObject({ code: "inbox-full", status: 429 });
    expect((await bench.until(manager.wait(id, 60_000))).status).toBe("cancelled");
  });
});
