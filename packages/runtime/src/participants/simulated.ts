import { createHash } from "node:crypto";
import { stepOfItem } from "../engine/item-path.js";
import type { StepOutcome } from "../engine/step-outcome.js";
import { isObject, type Json, type JsonObject } from "../json.js";
import { type Clock, sleep, systemPorts } from "../ports.js";
import type { CompensationCall, RetryPolicy, StepCall } from "../saga/definition.js";
import { classifyError } from "./answer.js";
import type { Ledger, LedgerEntry } from "./ledger.js";
import type { Participant } from "./participant.js";

export interface SimulatedParticipantOptions {
  /** As stages name it; kept in the ledger. */
  readonly name: string;
  /** What it did, once per idempotency key. Opened and closed by its owner. */
  readonly ledger: Ledger;
  /** Of an attempt, unless its stage says otherwise. Default 30,000. */
  readonly timeoutMs?: number;
  /** What it says goes before the manager's `recovery`, and after the stage's own. Default: nothing. */
  readonly retry?: Partial<RetryPolicy>;
  /** For `delay_ms`. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Stands in for a service that is not there, outside production. It answers `{simulated: true, reference}`, the same for
 * the same idempotency key, and obeys `input.simulate.<stage>`: `{status, delay_ms, fail_times}`, and the same under
 * `input.simulate.<stage>.compensate` for the compensation. `status` alone answers always so; with `fail_times` the
 * first attempts do (default status 503), then it succeeds. A status of 2xx succeeds. A script that is not understood is
 * ignored; `delay_ms` counts up to an hour.
 */
export function simulatedParticipant(options: SimulatedParticipantOptions): Participant {
  const { name, ledger, clock = systemPorts.clock, ...defaults } = options;

  async function answer(
    call: StepCall | CompensationCall,
    kind: LedgerEntry["kind"],
    refusals?: readonly number[],
  ): Promise<StepOutcome> {
    const script = scriptOf(call.runInput, call.stage, kind);
    if (script.delayMs > 0) await sleep(clock, script.delayMs, call.signal);
    if (call.signal.aborted) return failed("timeout", "the call was cut short");
    try {
      const status = await statusOf(script, call.idempotencyKey);
      if (status !== null) {
        return classifyError({ status, code: "simulated", message: `${name} was told to answer ${status}` }, refusals);
      }
      const { idempotencyKey: key, runId: run, stage } = call;
      const { entry, late } = await ledger.record({
        key,
        run,
        service: name,
        stage,
        kind,
        reference: referenceOf(key),
      });
      if (late)
        return { kind: "refused", error: { code: "compensated", message: "the step was compensated before it came" } };
      return { kind: "completed", output: { simulated: true, reference: entry.reference } };
    } catch (error) {
      return failed("unavailable", error instanceof Error ? error.message : String(error));
    }
  }

  /** Null: succeed. */
  async function statusOf({ status, failTimes }: Script, key: string): Promise<number | null> {
    if (failTimes > 0) return (await ledger.failOnPurpose(key, failTimes)) ? (status ?? 503) : null;
    return status !== null && (status < 200 || status > 299) ? status : null;
  }

  return {
    description: "simulated",
    ...defaults,
    perform: (target, call) => answer(call, "forward", target.refusals),
    compensate: (_, call) => answer(call, "compensate"),
  };
}

interface Script {
  readonly status: number | null;
  readonly delayMs: number;
  readonly failTimes: number;
}

const MAX_DELAY_MS = 3_600_000;

/** What is not understood is ignored: it comes from the input of a run, which anybody may start. */
function scriptOf(input: Json, stage: string, kind: LedgerEntry["kind"]): Script {
  const of = (object: Json | undefined, key: string): JsonObject => {
    const value = isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
    return isObject(value) ? value : {};
  };
  const scripts = of(input, "simulate");
  // Items of a stage that maps over a list may have scripts of their own, or one for all of them.
  const step = Object.hasOwn(scripts, stage) ? stage : stepOfItem(stage);
  const forward = of(scripts, step);
  const script = kind === "forward" ? forward : of(forward, "compensate");
  const count = (value: Json | undefined, max: number): number => {
    return typeof value === "number" && Number.isInteger(value) && value > 0 ? Math.min(value, max) : 0;
  };
  const status = count(script.status, 599);
  return {
    status: status >= 200 ? status : null,
    delayMs: count(script.delay_ms, MAX_DELAY_MS),
    failTimes: count(script.fail_times, 1_000_000),
  };
}

function referenceOf(key: string): string {
  return `SIM-${createHash("sha256").update(key).digest("hex").slice(0, 12).toUpperCase()}`;
}

function failed(code: string, message: string): StepOutcome {
  return { kind: "failed", error: { code, message }, mayHaveRun: true, retry: true };
}
