import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Participant } from "../participants/participant.js";
import { type AnyCall, hangs, SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import type { StepCall } from "./definition.js";
import { sagaFromConfig } from "./from-config.js";
import type { SagaManager } from "./manager.js";

const HOUR_MS = 3_600_000;

describe.each(STORE_KINDS)("a saga manager over %s, listening for heartbeats", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  const rowsOf = async (manager: SagaManager, id: string) =>
    (await manager.journal(id)).filter((row) => row.records.some((record) => record.kind === "heartbeat"));

  it("notices in seconds that a participant is dead, and the next attempt goes on from where that one was", async () => {
    const begunAt: unknown[] = [];
    const copies = saga("copies", { timeout: "2h" })
      .step("copy", {
        timeout: "1h",
        heartbeat: "3s",
        run: async (call) => {
          begunAt.push(call.heartbeatDetails);
          const from = (call.heartbeatDetails as { done: number } | null)?.done ?? 0;
          for (let done = from; done < 40; done++) {
            if (begunAt.length === 1 && done === 25) return hangs(call);
            await bench.later(1_000);
            call.heartbeat({ done: done + 1 });
          }
          return "copied";
        },
      })
      .build();
    const manager = await bench.open([copies]);
    const run = await bench.toEnd(manager, "copies");
    expect(run).toMatchObject({ status: "completed", output: "copied" });
    // What it last told went into the journal with its failure.
    expect(begunAt).toEqual([null, { done: 25 }]);
    const failed = (await manager.journal(run.id))
      .flatMap((row) => row.records)
      .filter(({ kind }) => kind === "failed");
    expect(failed).toMatchObject([
      { error: { code: "heartbeat-timeout", message: expect.stringContaining("no heartbeat within 3000 ms") } },
    ]);
    expect(failed[0]).toMatchObject({ mayHaveRun: true });
    expect((run.endedAt ?? 0) - run.createdAt).toBeLessThan(50_000);
    // 40 s of work, one row per second at most: a third of the heartbeat.
    expect((await rowsOf(manager, run.id)).length).toBeLessThanOrEqual(42);
  });

  it("writes few rows however often it beats, and none for beats that tell nothing", async () => {
    const beats = (name: string, details: (n: number) => unknown) =>
      saga(name)
        .step("beats", {
          timeout: "1h",
          heartbeat: "9s",
          run: async ({ heartbeat }) => {
            for (let n = 0; n < 300; n++) {
              heartbeat(details(n));
              await bench.later(100);
            }
          },
        })
        .build();
    const manager = await bench.open([beats("tells", (n) => n), beats("lives", () => undefined)]);
    const tells = await bench.toEnd(manager, "tells");
    const rows = (await rowsOf(manager, tells.id)).length;
    expect(rows).toBeGreaterThanOrEqual(8);
    expect(rows).toBeLessThanOrEqual(10);
    const lives = await bench.toEnd(manager, "lives");
    expect(await rowsOf(manager, lives.id)).toEqual([]);
    expect((await manager.journal(lives.id)).length).toBe(2);
  });

  it("keeps details over a crash, and a step without a heartbeat may be silent", async () => {
    const seen: unknown[] = [];
    const definition = (crash: boolean) =>
      saga("s")
        .step("a", {
          timeout: "1h",
          heartbeat: "3s",
          run: async (call) => {
            seen.push(call.heartbeatDetails);
            if (!crash) return null;
            call.heartbeat({ at: 7 });
            await bench.later(2_000);
            return hangs(call);
          },
        })
        .step("silent", {
          run: async (call) => {
            call.heartbeat("nobody listens");
            expect(call.heartbeatMs).toBeNull();
            await bench.later(20_000);
          },
        })
        .build();
    const first = await bench.open([definition(true)]);
    const { id } = await bench.until(first.start("s", {}));
    await bench.pass(2_500);
    await bench.until(first.close(0));
    const second = await bench.open([definition(false)]);
    expect((await bench.until(second.wait(id, 60_000))).status).toBe("completed");
    expect(seen).toEqual([null, { at: 7 }]);
  });

  it("tells a service what it may be silent for and what it told, and hears from it", async () => {
    const calls: AnyCall[] = [];
    let answer: (() => void) | null = null;
    const service: Participant = {
      description: "elsewhere",
      perform: (_, call: StepCall) =>
        new Promise((resolve) => {
          calls.push(call);
          answer = () => resolve({ kind: "completed", output: "done" });
        }),
      compensate: async () => ({ kind: "completed", output: null }),
    };
    const stage = { name: "encode", service: "encoder", endpoint: "/encode", timeout: "1h", heartbeat: "10s" };
    const definition = sagaFromConfig({ name: "s", timeout: "2h", stages: [stage] });
    const manager = await bench.open([definition], {}, { participants: { encoder: service } });
    const { id } = await bench.until(manager.start("s", {}));
    await bench.pass(10);
    expect(calls[0]).toMatchObject({ heartbeatMs: 10_000, heartbeatDetails: null });
    for (let n = 1; n <= 3; n++) {
      await bench.pass(8_000);
      await bench.until(manager.heartbeat(id, "encode", { attempt: 1, details: { frame: n } }));
    }
    expect(calls).toHaveLength(1);
    // It is silent from now on.
    await bench.pass(20_000);
    expect(calls[1]).toMatchObject({ attempt: 2, heartbeatDetails: { frame: 3 } });
    await expect(bench.until(manager.heartbeat(id, "encode", { attempt: 1 }))).rejects.toMatchObject({
      ...{ code: "attempt-over", status: 409 },
      message: expect.stringContaining("stop working on it"),
    });
    await expect(manager.heartbeat("nobody", "encode", { attempt: 1 })).rejects.toMatchObject({
      code: "run-not-found",
    });
    await expect(manager.heartbeat(id, "encode", { attempt: 0 })).rejects.toMatchObject({ code: "input-invalid" });
    await expect(manager.heartbeat(id, "encode", { attempt: 2, details: "x".repeat(70_000) })).rejects.toMatchObject({
      code: "payload-too-large",
    });
    (answer as unknown as () => void)();
    expect(await bench.until(manager.wait(id, HOUR_MS))).toMatchObject({ status: "completed", output: "done" });
    await expect(manager.heartbeat(id, "encode", { attempt: 2 })).rejects.toMatchObject({ code: "attempt-over" });
  });

  it("hears of it through another instance", async () => {
    const definition = saga("s", { timeout: "2h" })
      .step("a", {
        timeout: "1h",
        heartbeat: "5s",
        run: async (call) => {
          if (call.attempt === 1) await bench.later(30_000);
          return "done";
        },
      })
      .build();
    const owner = await bench.open([definition]);
    const other = await bench.open([definition]);
    const { id } = await bench.until(owner.start("s", {}));
    for (let n = 1; n <= 14; n++) {
      await bench.pass(2_000);
      await bench.until(other.heartbeat(id, "a", { attempt: 1, details: n }));
      // One more at once: it brings no message of its own.
      await bench.until(other.heartbeat(id, "a", { attempt: 1, details: n }));
    }
    const run = await bench.until(owner.wait(id, HOUR_MS));
    expect(run).toMatchObject({ status: "completed", steps: [{ attempts: 1 }] });
    const heard = (await owner.journal(id)).flatMap((row) => row.records).filter(({ kind }) => kind === "heartbeat");
    expect(heard.length).toBeLessThanOrEqual(14);
    expect(heard.at(-1)).toMatchObject({ step: "a", attempt: 1, details: 14 });
    await bench.until(owner.close(0));
  });
});

describe("a heartbeat that is declared wrongly", () => {
  it("is refused, and says where", () => {
    expect(() =>
      saga("s")
        .step("a", { heartbeat: "0s", run: () => 1 })
        .build(),
    ).toThrow('expected a heartbeat of more than 0 ms in step "a", got 0');
    expect(() => sagaFromConfig({ name: "s", stages: [{ name: "a", sleep: 1, heartbeat: "5s" }] })).toThrow(
      "expected no heartbeat of stage s.a, which calls no service",
    );
  });
});
