import type { StepOutcome } from "../../engine/step-outcome.js";
import { BusinessRefusal } from "../../errors.js";
import { classifyError } from "../../participants/answer.js";
import type { Participant } from "../../participants/participant.js";
import type { CompensationCall, StepCall } from "../../saga/definition.js";
import type { CallLog } from "./call-log.js";
import type { Place, StepFault } from "./step-faults.js";
import type { TestTime } from "./test-time.js";

export interface PerformerOptions {
  readonly time: TestTime;
  readonly log: CallLog;
  /** The fault of an attempt that begins; null: none. */
  readonly faultOf: (place: Place) => StepFault | null;
  /** Name of the saga that the run is of, and whether its journal tells of each act. */
  readonly runOf: (run: string) => { readonly saga: string; readonly isJournaled: boolean };
  /** A function waits for a signal; what it gave to its `waitFor`. */
  readonly waits: (run: string, given: readonly unknown[]) => void;
}

/** What every function of a step is given. */
export interface HeldCall {
  readonly runId: string;
  readonly signal: AbortSignal;
}

/** How an act answers: a function throws, a participant says so. */
interface Answers<Answer> {
  readonly refused: (fault: StepFault & { readonly kind: "refused" }) => Answer;
  readonly failed: (status: number, message: string) => Answer;
  readonly resultOf: (answer: Answer) => "done" | "refused" | "failed";
}

interface Attempt<Answer> {
  readonly act: () => Answer | Promise<Answer>;
  readonly answers: Answers<Answer>;
  readonly end: (result: "done" | "refused" | "failed") => void;
  readonly signal: AbortSignal;
}

/**
 * Stands between one process and those who perform its steps: notes what they are asked, keeps time from passing while they are at it,
 * and has go wrong what is to.
 */
export class Performer {
  readonly #options: PerformerOptions;

  constructor(options: PerformerOptions) {
    this.#options = options;
  }

  /** A function of the process's own. */
  handler<Call extends StepCall | CompensationCall>(handler: (call: Call) => unknown): (call: Call) => unknown {
    return (call) => this.#perform(call, () => handler(call), THROWN);
  }

  /** A function of another shape: time waits for it, and no more. What it waits for itself comes with test time. */
  held<Call extends HeldCall>(work: (call: Call) => unknown): (call: Call) => unknown {
    return (call) => {
      const answer = work(this.#awaited(call));
      return isThenable(answer) ? this.#hold(answer, call.signal) : answer;
    };
  }

  /** The call, of which `sleep` and `waitFor` let test time pass. */
  #awaited<Call extends HeldCall>(call: Call): Call {
    const { time, waits } = this.#options;
    return new Proxy(call, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== "function") return member;
        if (name !== "sleep" && name !== "waitFor") return member.bind(target);
        return (...args: unknown[]) => {
          const waited = Reflect.apply(member, target, args) as Promise<unknown>;
          if (name === "waitFor") waits(target.runId, args);
          void time.asleep(untilCut(waited, target.signal));
          return waited;
        };
      },
    });
  }

  participant(participant: Participant): Participant {
    return {
      ...participant,
      perform: async (target, call) => this.#perform(call, () => participant.perform(target, call), outcomes(target)),
      compensate: async (target, call) =>
        this.#perform(call, () => participant.compensate(target, call), outcomes(target)),
    };
  }

  /** At once when it is known at once. */
  #perform<Answer>(
    call: StepCall | CompensationCall,
    act: () => Answer | Promise<Answer>,
    answers: Answers<Answer>,
  ): Answer | Promise<Answer> {
    const { log, time, faultOf, runOf } = this.#options;
    const { saga, isJournaled } = runOf(call.runId);
    const end = log.begin(call, { saga, at: time.clock.now(), isJournaled });
    const direction = "outcome" in call ? "compensate" : "forward";
    const fault = faultOf({ saga, stage: call.stage, direction, attempt: call.attempt });
    const attempt: Attempt<Answer> = { act, answers, end, signal: call.signal };
    return fault === null ? this.#act(attempt) : this.#go(fault, attempt);
  }

  /** Nobody waits any more for one that was cut short. */
  #hold<Value>(attempt: PromiseLike<Value>, signal: AbortSignal): Promise<Value> {
    const settled = Promise.resolve(attempt);
    void this.#options.time.hold(this, untilCut(settled, signal));
    return settled;
  }

  #act<Answer>({ act, answers: { resultOf }, end, signal }: Attempt<Answer>): Answer | Promise<Answer> {
    const threw = (error: unknown): never => {
      end(error instanceof BusinessRefusal ? "refused" : "failed");
      throw error;
    };
    const answered = (answer: Answer): Answer => {
      end(resultOf(answer));
      return answer;
    };
    let answer: Answer | Promise<Answer>;
    try {
      answer = act();
    } catch (error) {
      return threw(error);
    }
    if (!isThenable(answer)) return answered(answer as Answer);
    return this.#hold(answer as PromiseLike<Answer>, signal).then(answered, threw);
  }

  async #go<Answer>(fault: StepFault, attempt: Attempt<Answer>): Promise<Answer> {
    const { answers, end } = attempt;
    switch (fault.kind) {
      case "refused":
        end("refused");
        return answers.refused(fault as StepFault & { readonly kind: "refused" });
      case "failed":
        end("failed");
        return answers.failed(fault.status, fault.message);
      case "hangs":
        return new Promise(() => {});
      case "held":
        await fault.until;
        return this.#act(attempt);
      case "twice":
        await this.#act(attempt);
        return this.#act(attempt);
      case "reply-lost":
        await this.#act(attempt);
        return answers.failed(503, "injected: it was done, and its reply was lost");
    }
  }
}

const THROWN: Answers<unknown> = {
  refused: ({ message, status }) => {
    throw new BusinessRefusal(message, `http-${status}`);
  },
  failed: (_, message) => {
    throw new Error(message);
  },
  resultOf: () => "done",
};

function outcomes({ refusals }: { readonly refusals?: readonly number[] }): Answers<StepOutcome> {
  return {
    refused: ({ status, message }) => ({ kind: "refused", error: { code: "injected", message, status } }),
    failed: (status, message) => classifyError({ status, code: "injected", message }, refusals),
    resultOf: ({ kind }) => (kind === "completed" ? "done" : kind),
  };
}

/** Until it has settled, or nobody waits for it any more. */
function untilCut(waited: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => resolve();
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    waited.then(end, end);
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
