import type { Direction } from "../../engine/records.js";
import type { StepOutcome } from "../../engine/step-outcome.js";
import type { Participant } from "../../participants/participant.js";
import type { ServiceCall } from "../../saga/definition.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import { EffectLedger } from "../effect-ledger.js";
import type { SeededRandom } from "../seeded-random.js";
import { isTransactedEndpoint } from "../transacted-step.js";
import type { CallWatch, SentCall } from "./call-watch.js";
import type { ContextWatch } from "./context-watch.js";
import type { Faults } from "./faults.js";
import type { Poison } from "./poison.js";
import type { ProcessClock } from "./process-clock.js";
import { transact } from "./transacting-handler.js";

export interface ServicesOptions {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly calls: CallWatch;
  readonly contexts: ContextWatch;
  readonly poison: Poison;
  readonly timeoutMs: number;
}

/** Code of failures that a saga may name as not to be retried. */
export const FATAL = "fatal";

/**
 * The participants' side: one ledger of effects per run, kept by barriers. A call may be refused, fail known or unknown,
 * be done and not answered, be done long after its caller gave up, hang, or arrive twice. A service outlives the
 * processes that call it and stands by a refusal.
 */
export class Services {
  readonly #options: ServicesOptions;
  readonly #ledgers = new Map<string, EffectLedger>();
  /** Keys of calls that were refused. */
  readonly #refused = new Set<string>();

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  ledgerOf(run: string): EffectLedger {
    const ledger = this.#ledgers.get(run) ?? new EffectLedger();
    this.#ledgers.set(run, ledger);
    return ledger;
  }

  /** As one process reaches them. */
  seenBy(process: string, clock: ProcessClock): Participant {
    const { calls, contexts, poison, timeoutMs } = this.#options;
    const perform = async (target: ServiceCall, call: SentCall, direction: Direction): Promise<StepOutcome> => {
      calls.sent(process, call, direction);
      contexts.checkSeen(call.runId, call.context.get(), `"${call.stage}"`);
      if (poison.strikes(process, clock, call)) return new Promise(() => {});
      let answered = false;
      if (direction === "forward") this.#writeOnTheWay(call, clock, () => answered);
      try {
        if (isTransactedEndpoint(target.endpoint)) return await transact(this.#options, call, direction, clock);
        return await this.#answer(call, direction, clock);
      } finally {
        answered = true;
        calls.settled(process, call, direction);
      }
    };
    return {
      description: "simulated world",
      timeoutMs,
      perform: (target, call) => perform(target, call, "forward"),
      compensate: (target, call) => perform(target, call, "compensate"),
    };
  }

  /** Once or twice, while the attempt is under way: what a handler writes after its answer is promised nothing. */
  #writeOnTheWay(call: SentCall, clock: ProcessClock, isAnswered: () => boolean): void {
    const { random, contexts } = this.#options;
    if (random.chance(0.5)) return;
    const write = (): void => {
      if (isAnswered() || call.signal.aborted) return;
      const number = contexts.write(call);
      if (number === null || !random.chance(0.3)) return;
      // Rejected when the run has left the process meanwhile.
      call.context.checkpoint().then(
        () => contexts.acknowledged(call, number),
        () => {},
      );
    };
    write();
    if (random.chance(0.5)) this.#options.clock.after(random.below(100), () => clock.enter(write));
  }

  #answer(call: SentCall, direction: Direction, process: ProcessClock): Promise<StepOutcome> {
    const { clock, random, faults, contexts, timeoutMs } = this.#options;
    const key = call.idempotencyKey;
    const act = { step: call.stage, direction, round: roundOf(key) };
    const error = { code: "simulated", message: "simulated" };
    const effect = (): boolean => {
      const ledger = this.ledgerOf(call.runId);
      return ledger.apply(act) || ledger.has(act);
    };
    const returned = random.chance(0.6) ? { context: { [`ret:${call.stage}`]: contexts.nextNumber() } } : {};
    // A store cannot keep a NUL character.
    const poison = !faults.isCalm && random.chance(0.01) ? { poison: "\0" } : {};
    const completed = (): StepOutcome =>
      effect()
        ? { kind: "completed", output: direction === "forward" ? { by: call.attempt, ...returned, ...poison } : null }
        : { kind: "failed", error, mayHaveRun: false, retry: false };
    const unknown = (retry: boolean): StepOutcome => ({ kind: "failed", error, mayHaveRun: true, retry });
    return new Promise((resolve) => {
      const reply = (afterMs: number, outcome: () => StepOutcome): void =>
        void clock.after(afterMs, () => {
          const decided = outcome();
          clock.after(random.below(20), () => process.enter(() => resolve(decided)));
        });
      const soonMs = random.below(random.chance(0.1) ? timeoutMs : 60);
      if (this.#refused.has(key)) return reply(soonMs, () => ({ kind: "refused", error }));
      const dice = faults.isCalm ? 0 : random.float();
      if (dice < 0.72) return reply(soonMs, completed);
      faults.count(`participant: ${direction === "forward" ? "step" : "compensation"} goes wrong`);
      if (dice < 0.76) {
        const ledger = this.ledgerOf(call.runId);
        return reply(soonMs, () => {
          // An earlier attempt of the same key had its effect: a barrier answers as it did then.
          if (ledger.has(act)) return completed();
          this.#refused.add(key);
          return { kind: "refused", error };
        });
      }
      if (dice < 0.82)
        return reply(soonMs, () => ({
          kind: "failed",
          // Of each step some attempts fail in a way that some sagas do not want retried.
          error: call.attempt % 2 === 0 ? { code: FATAL, message: "simulated" } : error,
          mayHaveRun: false,
          retry: true,
          retryAfterMs: random.below(9_000),
        }));
      if (dice < 0.86)
        return reply(soonMs, () => {
          effect();
          return unknown(random.chance(0.9) || direction === "compensate");
        });
      if (dice < 0.9) {
        clock.after(random.below(30_000), () => this.#late(key, effect));
        return reply(soonMs, () => unknown(true));
      }
      // Done, sooner or later, and never answered.
      if (dice < 0.94) return void clock.after(random.below(2 * timeoutMs), () => this.#late(key, effect));
      if (dice < 0.97) return reply(timeoutMs + random.below(timeoutMs), completed);
      clock.after(random.below(30_000), () => this.#late(key, effect));
      return reply(soonMs, completed);
    });
  }

  #late(key: string, effect: () => boolean): void {
    if (!this.#refused.has(key)) effect();
  }
}

/** A participant tells its effects apart by their keys alone. */
function roundOf(key: string): number {
  return Number(/:r(\d+)(:compensate)?$/.exec(key)?.[1] ?? 1);
}
