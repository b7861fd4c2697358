import type { Direction } from "../../engine/records.js";
import type { Json } from "../../json.js";
import type { CompensationCall, StepCall } from "../../saga/definition.js";
import { EffectLedger } from "../../simulation/effect-ledger.js";
import { stepNameOf } from "./step-name.js";

/** One attempt at a step or a compensation, as whoever performs it sees it. */
export interface TestCall {
  /** The run that participants know: of a compensation in a run that undoes a child, the child's. */
  readonly run: string;
  readonly saga: string;
  /** The step's name; of an item of a list `items[3]/<step>`. */
  readonly stage: string;
  readonly direction: Direction;
  /** 1; more when the step was undone and ran again. */
  readonly round: number;
  readonly attempt: number;
  readonly key: string;
  /** Of a compensation: what is known about what it undoes. */
  readonly outcome: "completed" | "unknown" | null;
  readonly input: Json;
  /** Test time, ms since the epoch. */
  readonly at: number;
  /**
   * `done`: it had its effect, whatever the run was told. `refused`, `failed`: it answered so, or was made to. `open`: it has not
   * answered.
   */
  readonly result: "open" | "done" | "refused" | "failed";
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What participants were asked, and what came of it. */
export class CallLog {
  readonly #calls: Writable<TestCall>[] = [];
  readonly #ledgers = new Map<string, EffectLedger>();

  get calls(): readonly TestCall[] {
    return this.#calls;
  }

  /** Of one step, its items included. */
  of(stage: string, direction?: Direction): readonly TestCall[] {
    return this.#calls.filter(
      (call) =>
        (call.stage === stage || stepNameOf(call.stage) === stage) &&
        (direction === undefined || call.direction === direction),
    );
  }

  /** What really happened for one run, once per key. */
  ledgerOf(run: string): EffectLedger {
    const ledger = this.#ledgers.get(run) ?? new EffectLedger();
    this.#ledgers.set(run, ledger);
    return ledger;
  }

  /** Notes an attempt, and gives what says how it ended. */
  begin(
    call: StepCall | CompensationCall,
    { saga, at, isJournaled }: { readonly saga: string; readonly at: number; readonly isJournaled: boolean },
  ): (result: TestCall["result"]) => void {
    const { runId: run, stage, attempt, idempotencyKey: key, input } = call;
    const outcome = "outcome" in call ? call.outcome : null;
    const direction: Direction = outcome === null ? "forward" : "compensate";
    const round = roundOf(key);
    const what = { run, saga, stage, direction, round, attempt } as const;
    const noted: Writable<TestCall> = { ...what, key, outcome, input, at, result: "open" };
    this.#calls.push(noted);
    return (result) => {
      noted.result = result;
      if (result === "done" && isJournaled) this.ledgerOf(run).apply({ step: stage, direction, round });
    };
  }
}

function roundOf(key: string): number {
  return Number(/:r(\d+)(:compensate)?$/.exec(key)?.[1] ?? 1);
}
