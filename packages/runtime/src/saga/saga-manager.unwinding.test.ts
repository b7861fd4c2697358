import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { hangs, SagaBench, STORE_KINDS, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";

describe.each(STORE_KINDS)("a saga manager over %s, unwinding", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  it("compensates completed steps in reverse when a later one is refused, and leaves the refused one alone", async () => {
    const log: string[] = [];
    const step = (name: string) => ({ run: scripted(name, log).run, compensate: () => log.push(`undo ${name}`) });
    const definition = saga("s")
      .step("a", step("a"))
      .step("b", step("b"))
      .step("c", {
        run: scripted("c", log, [new BusinessRefusal("no funds", "declined")]).run,
        compensate: () => log.push("undo c"),
      })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(log).toEqual(["a", "b", "c", "undo b", "undo a"]);
    expect(run).toMatchObject({
      status: "compensated",
      rollbackStatus: "done",
      error: { code: "declined", message: "no funds" },
    });
    expect(run.steps.map((each) => [each.status, each.compensation?.status ?? null])).toEqual([
      ["completed", "compensated"],
      ["completed", "compensated"],
      ["refused", null],
    ]);
  });

  it("compensates a step that timed out as unknown, under its forward key", async () => {
    const compensations: unknown[] = [];
    const definition = saga("s")
      .step("slow", {
        run: hangs,
        timeout: "2s",
        retry: { maxAttempts: 1 },
        compensate: ({ outcome, output, forwardKey, idempotencyKey, runId }) =>
          compensations.push([outcome, output, forwardKey, idempotencyKey, runId]),
      })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(run).toMatchObject({ status: "compensated", error: { code: "timeout" }, steps: [{ status: "unknown" }] });
    expect(compensations).toEqual([["unknown", null, `${run.id}:slow`, `${run.id}:slow:compensate`, run.id]]);
  });

  it("lets a sibling finish its attempt before anything is undone, and does not retry it", async () => {
    const log: string[] = [];
    const definition = saga("s")
      .parallel((group) =>
        group
          .step("fails", {
            run: () => {
              throw new BusinessRefusal("no");
            },
          })
          .step("slow", {
            run: async ({ signal }) => {
              log.push("slow starts");
              await bench.later(500);
              log.push(signal.aborted ? "slow was cut" : "slow ends");
              return 1;
            },
            compensate: () => log.push("undo slow"),
          }),
      )
      .build();
    const manager = await bench.open([definition]);
    expect(await bench.toEnd(manager, "s")).toMatchObject({ status: "compensated" });
    expect(log).toEqual(["slow starts", "slow ends", "undo slow"]);
  });

  it("unwinds at the run's timeout, and does not bound the compensations by it", async () => {
    let undone = 0;
    const definition = saga("s", { timeout: "10s" })
      .step("a", {
        run: () => 1,
        compensate: async () => {
          await bench.later(20_000);
          undone += 1;
        },
      })
      .step("b", { run: hangs, timeout: "1h" })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    expect(run).toMatchObject({ status: "compensated", error: { code: "run-timeout" } });
    expect(undone).toBe(1);
    expect((run.endedAt ?? 0) - run.createdAt).toBeGreaterThanOrEqual(30_000);
  });

  it("retries forever under strategy retry, until the run's timeout, then fails", async () => {
    const step = scripted(
      "a",
      [],
      Array.from({ length: 1_000 }, () => new Error("down")),
    );
    const definition = saga("s", { timeout: "60s" })
      .step("a", { run: step.run, compensate: () => expect.unreachable("nothing is undone") })
      .build();
    const manager = await bench.open([definition], {
      recovery: { strategy: "retry", maxAttempts: 2, maxDelayMs: 5_000, jitter: "none" },
    });
    expect(await bench.toEnd(manager, "s")).toMatchObject({ status: "failed", error: { code: "run-timeout" } });
    expect(step.calls.length).toBeGreaterThan(10);
  });

  it("makes one attempt and fails with recovery off", async () => {
    const step = scripted("a", [], [new Error("down")]);
    const manager = await bench.open([saga("s").step("a", { run: step.run }).build()], {
      recovery: { enabled: false },
    });
    expect(await bench.toEnd(manager, "s")).toMatchObject({ status: "failed" });
    expect(step.calls).toHaveLength(1);
  });
});
