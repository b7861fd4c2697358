import { describe, expect, it } from "vitest";
import type { Json } from "../json.js";
import type { CompensationCall, StepCall } from "../saga/definition.js";
import { passTimeUntil } from "../simulation/virtual-time.js";
import { createMemoryLedger } from "../stores/memory/index.js";
import { createManualClock } from "../testing/manual-clock.js";
import { simulatedParticipant } from "./simulated.js";

const target = { service: "payment_service", endpoint: "/charge" };

function call(input: Json = {}, more: Partial<StepCall> = {}): StepCall {
  return {
    runId: "run-1",
    stage: "charge",
    input,
    isMapped: false,
    timeoutMs: 30_000,
    transaction: () => Promise.reject(new Error("none here")),
    heartbeat: () => {},
    heartbeatMs: null,
    heartbeatDetails: null,
    runInput: input,
    outputs: {},
    context: { get: () => ({}), patch() {}, checkpoint: async () => {} },
    idempotencyKey: "run-1:charge",
    attempt: 1,
    fence: 1,
    signal: new AbortController().signal,
    ...more,
  };
}

function compensation(input: Json = {}): CompensationCall {
  const undo = { forwardKey: "run-1:charge", outcome: "completed", output: {}, reason: "declined" } as const;
  return { ...call(input, { idempotencyKey: "run-1:charge:compensate" }), ...undo };
}

function setUp() {
  const clock = createManualClock();
  const ledger = createMemoryLedger({ clock });
  return { clock, ledger, participant: simulatedParticipant({ name: "payment_service", ledger, clock }) };
}

describe("simulated participant", () => {
  it("answers the same for the same key, and keeps one effect", async () => {
    const { participant, ledger } = setUp();
    const first = await participant.perform(target, call());
    expect(first).toMatchObject({
      kind: "completed",
      output: { simulated: true, reference: expect.stringMatching(/^SIM-[0-9A-F]{12}$/) },
    });
    expect(await participant.perform(target, call())).toEqual(first);
    expect((await ledger.list({})).items).toMatchObject([
      { key: "run-1:charge", service: "payment_service", calls: 2 },
    ]);
  });

  it("refuses and fails as it is told, without an effect", async () => {
    const { participant, ledger } = setUp();
    expect(await participant.perform(target, call({ simulate: { charge: { status: 402 } } }))).toMatchObject({
      kind: "refused",
      error: { status: 402 },
    });
    expect(await participant.perform(target, call({ simulate: { charge: { status: 503 } } }))).toMatchObject({
      kind: "failed",
      retry: true,
    });
    expect(
      await participant.compensate(target, compensation({ simulate: { charge: { compensate: { status: 422 } } } })),
    ).toMatchObject({ kind: "refused" });
    expect((await ledger.list({})).items).toEqual([]);
  });

  it("fails the first attempts and then succeeds", async () => {
    const { participant } = setUp();
    const input = { simulate: { charge: { fail_times: 2 } } };
    expect(await participant.perform(target, call(input))).toMatchObject({ kind: "failed", error: { status: 503 } });
    expect(await participant.perform(target, call(input))).toMatchObject({ kind: "failed" });
    expect(await participant.perform(target, call(input))).toMatchObject({ kind: "completed" });
  });

  it("takes its time when told, and stops when cut short", async () => {
    const { participant, clock, ledger } = setUp();
    const input = { simulate: { charge: { delay_ms: 60_000 } } };
    const startedAt = clock.now();
    await passTimeUntil(clock, participant.perform(target, call(input)));
    expect(clock.now() - startedAt).toBe(60_000);
    const controller = new AbortController();
    const cut = participant.perform(target, call(input, { idempotencyKey: "run-2:charge", signal: controller.signal }));
    controller.abort();
    expect(await cut).toMatchObject({ kind: "failed", mayHaveRun: true });
    expect((await ledger.list({})).items).toHaveLength(1);
  });

  it("has no effect when its compensation came first", async () => {
    const { participant, ledger } = setUp();
    expect(await participant.compensate(target, compensation())).toMatchObject({ kind: "completed" });
    expect(await participant.perform(target, call())).toMatchObject({
      kind: "refused",
      error: { code: "compensated" },
    });
    expect((await ledger.list({})).items.map((entry) => entry.kind)).toEqual(["compensate"]);
  });

  it.each([
    { simulate: 1 },
    { simulate: { charge: [] } },
    { simulate: { charge: { status: "402", delay_ms: -1, fail_times: 1.5 } } },
    [],
  ])("ignores instructions it does not understand: %j", async (input) => {
    expect(await setUp().participant.perform(target, call(input))).toMatchObject({ kind: "completed" });
  });
});
