import type { Failure } from "../engine/records.js";
import type { StepOutcome } from "../engine/step-outcome.js";
import { RuntimeError } from "../errors.js";
import { type Json, toJson } from "../json.js";
import type { Participant } from "../participants/participant.js";
import type { ExpressionScope } from "../saga/definition.js";
import { type AttemptBound, Cut } from "./attempt-bound.js";
import type { ActPlan, PlannedStage } from "./batch-plan.js";
import {
  type AfterFailure,
  type AttemptEnd,
  afterFailure,
  cutShort,
  failureOf,
  type ItemActs,
  type ItemInHand,
} from "./item-attempt.js";
import { itemStage } from "./item-key-path.js";
import { type StageFacts, stageCall, stageUndoCall } from "./stage-call.js";

export interface StagedItemsOptions {
  readonly stages: readonly PlannedStage[];
  readonly participants: Readonly<Record<string, Participant>>;
  readonly bound: AttemptBound;
  readonly run: { readonly id: string; readonly input: Json };
  /** See `itemFence`. */
  readonly fence: number;
  /** Of items that are tried again after they were undone; null: the first time. */
  readonly retried: string | null;
  readonly random: () => number;
  /** ms since the epoch, for expressions. */
  readonly now: () => number;
}

/** How far an item has come. */
interface Progress {
  /** The stage that is next. */
  at: number;
  readonly outputs: Record<string, Json>;
  /** What was done, or may have been, last first; with what is needed to undo it. */
  readonly done: Done[];
  /** Stages that were begun. */
  begun: number;
  /** Attempts at the present act. */
  attempt: number;
  /** The present stage may have run. */
  mayHaveRun: boolean;
  /** Why it is being undone. */
  failed: Failure | null;
}

interface Done {
  readonly planned: PlannedStage;
  readonly input: Json;
  readonly outcome: "completed" | "unknown";
  readonly output: Json;
}

/**
 * Acts of services, stage after stage. An attempt goes on through the stages until one fails. When one fails for good, the stages before it
 * that can be undone are, last first, and the item has failed.
 */
export class StagedItems implements ItemActs {
  readonly #options: StagedItemsOptions;
  readonly #progress = new Map<string, Progress>();

  constructor(options: StagedItemsOptions) {
    this.#options = options;
  }

  async attempt(item: ItemInHand): Promise<AttemptEnd> {
    const progress = this.#progressOf(item);
    item.attempts += 1;
    const end =
      progress.failed === null
        ? await this.#forward(item, progress)
        : await this.#undo(item, progress, progress.failed);
    if (typeof end === "string" || "failed" in end) this.#progress.delete(item.key);
    return end;
  }

  #progressOf({ key }: ItemInHand): Progress {
    let progress = this.#progress.get(key);
    if (progress === undefined) {
      progress = { at: 0, outputs: {}, done: [], begun: 0, attempt: 0, mayHaveRun: false, failed: null };
      this.#progress.set(key, progress);
    }
    return progress;
  }

  async #forward(item: ItemInHand, progress: Progress): Promise<AttemptEnd> {
    for (;;) {
      const planned = this.#options.stages[progress.at];
      if (planned === undefined) return progress.begun === 0 ? "skipped" : "done";
      const end = await this.#perform(item, progress, planned);
      if (end !== null) return end;
      Object.assign(progress, { at: progress.at + 1, attempt: 0, mayHaveRun: false });
      item.failures = 0;
    }
  }

  /** Null: the stage is done, or is not for this item. */
  async #perform(item: ItemInHand, progress: Progress, planned: PlannedStage): Promise<AfterFailure | null> {
    const { stage } = planned;
    let mapped: Json | undefined;
    try {
      const scope = this.#scope(item, progress);
      if (stage.when !== undefined && !(await isWanted(planned, scope))) {
        progress.outputs[stage.name] = null;
        return null;
      }
      if (stage.input !== undefined)
        mapped = toJson(await stage.input.evaluate(scope), () => `the input of stage "${stage.name}"`);
    } catch (error) {
      const message = `an expression of stage "${stage.name}": ${error instanceof Error ? error.message : String(error)}`;
      return this.#giveUp(item, progress, { code: "expression-failed", message: message.slice(0, 500) });
    }
    const input = mapped === undefined ? this.#options.run.input : mapped;
    progress.begun += 1;
    progress.attempt += 1;
    const outcome = await this.#call(item, { ...planned, service: stage.call.service }, (participant, facts) =>
      participant.perform(
        stage.call,
        stageCall(facts, {
          input,
          isMapped: mapped !== undefined,
          outputs: progress.outputs,
          attempt: progress.attempt,
        }),
      ),
    );
    if (outcome.kind === "completed") {
      progress.outputs[stage.name] = outcome.output;
      if (planned.compensation !== null)
        progress.done.unshift({ planned, input, outcome: "completed", output: outcome.output });
      return null;
    }
    if (outcome.kind === "failed") progress.mayHaveRun ||= outcome.mayHaveRun;
    const end = this.#afterOutcome(item, outcome, planned);
    if ("retryMs" in end) return end;
    if (progress.mayHaveRun && planned.compensation !== null)
      progress.done.unshift({ planned, input, outcome: "unknown", output: null });
    return this.#giveUp(item, progress, end.failed);
  }

  /** The item has failed for good, once what was done of it is undone. */
  #giveUp(item: ItemInHand, progress: Progress, error: Failure): Promise<AfterFailure> {
    progress.failed = error;
    Object.assign(progress, { attempt: 0 });
    item.failures = 0;
    return this.#undo(item, progress, error);
  }

  async #undo(item: ItemInHand, progress: Progress, failed: Failure): Promise<AfterFailure> {
    for (;;) {
      const [last] = progress.done;
      const compensation = last?.planned.compensation;
      if (last === undefined || !compensation) return { failed };
      const { planned, input, outcome: known, output } = last;
      progress.attempt += 1;
      const act = {
        stage: planned.stage,
        timeoutMs: compensation.timeoutMs,
        compensation,
        service: compensation.call.service,
      };
      const outcome = await this.#call(item, act, (participant, facts) =>
        participant.compensate(
          compensation.call,
          stageUndoCall(
            facts,
            {
              input,
              isMapped: planned.stage.input !== undefined,
              outputs: progress.outputs,
              attempt: progress.attempt,
            },
            { outcome: known, output, reason: failed.message },
          ),
        ),
      );
      if (outcome.kind === "completed") {
        progress.done.shift();
        Object.assign(progress, { attempt: 0 });
        item.failures = 0;
        continue;
      }
      const end = this.#afterOutcome(item, outcome, compensation);
      if ("retryMs" in end) return end;
      const { name } = planned.stage;
      const message = `stage "${name}" could not be undone (${end.failed.message}) after: ${failed.message}; undo it by hand`;
      return { failed: { code: "compensation-failed", message: message.slice(0, 500) } };
    }
  }

  #afterOutcome(
    item: ItemInHand,
    outcome: Exclude<StepOutcome, { kind: "completed" }>,
    { retry }: ActPlan,
  ): AfterFailure {
    if (outcome.kind === "refused" || !outcome.retry) return { failed: outcome.error };
    return afterFailure(item, outcome.error, retry, this.#options.random, outcome.retryAfterMs);
  }

  /** Never throws; never outlasts its time. */
  async #call(
    item: ItemInHand,
    act: Pick<PlannedStage, "stage" | "timeoutMs" | "compensation"> & { readonly service: string },
    perform: (participant: Participant, facts: StageFacts) => Promise<StepOutcome>,
  ): Promise<StepOutcome> {
    const { bound, run, fence, participants, retried } = this.#options;
    const { stage, timeoutMs, compensation, service } = act;
    const mayBegin = bound.mayBegin();
    if (mayBegin !== true && !(await mayBegin)) return LEFT;
    const abort = bound.begin();
    try {
      const participant = Object.hasOwn(participants, service) ? participants[service] : undefined;
      if (participant === undefined)
        throw new RuntimeError(
          "definition-invalid",
          `expected a participant named ${JSON.stringify(service)}, got none`,
        );
      const name = itemStage(item.key, stage.name);
      // What was undone is done again under another key: under the first one a participant's barrier turns it away.
      const round = retried !== null && compensation !== null ? `:${retried}` : "";
      const facts = {
        run,
        item: item.item,
        key: item.key,
        fence,
        stage: name,
        idempotencyKey: `${run.id}:${name}${round}`,
        timeoutMs,
        abort,
      };
      const outcome = await bound.wait(perform(participant, facts), abort, timeoutMs);
      if (!(outcome instanceof Cut)) return outcome;
      return { kind: "failed", error: cutShort(item, outcome), mayHaveRun: true, retry: true };
    } catch (error) {
      return { kind: "failed", error: failureOf(error).error, mayHaveRun: true, retry: true };
    } finally {
      bound.end();
    }
  }

  #scope({ item }: ItemInHand, { outputs }: Progress): ExpressionScope {
    return { input: this.#options.run.input, outputs, context: {}, item, now: this.#options.now() };
  }
}

/** The chunk is somebody else's: what this says is not heard. */
const LEFT: StepOutcome = {
  kind: "failed",
  error: { code: "lease-lost", message: "another instance may own the chunk now" },
  mayHaveRun: true,
  retry: true,
};

async function isWanted({ stage }: PlannedStage, scope: ExpressionScope): Promise<boolean> {
  const value = (await stage.when?.evaluate(scope)) ?? false;
  if (typeof value === "boolean") return value;
  throw new Error(`expected true or false of its condition, got ${JSON.stringify(value).slice(0, 80)}`);
}
