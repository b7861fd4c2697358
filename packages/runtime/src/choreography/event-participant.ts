import type { Duration } from "../duration.js";
import { RuntimeError } from "../errors.js";
import { actionStep, elsewhereStep } from "../saga/declared-step.js";
import { defineSaga } from "../saga/define.js";
import type { CompensationHandler, StepHandler, Unit } from "../saga/definition.js";
import type { RetryOptions } from "../saga/step-options.js";
import { type Choreographed, choreographedOf } from "./choreographed.js";
import type { Units } from "./units.js";

/**
 * A stage of a choreographed saga, for a service that performs it and does not have the saga's definition. There the stage is
 * `performed: "elsewhere"`; here it is known by the events that begin and undo it, which both must name alike.
 */
export interface EventParticipantOptions {
  readonly saga: string;
  /** As the saga names it. Its events are `<saga>.<stage>.completed`, `.failed`, `.compensated` and `.stuck`. */
  readonly stage: string;
  /** Begins it: `<saga>.<stage or gate before>.completed`, of the first stage `<saga>.started`. */
  readonly on: string;
  /**
   * Undo it, or keep it from beginning: `<saga>.<stage or gate behind>.compensated`; of the last stage `<saga>.*.failed` and
   * `<saga>.abort`. None: it lies past the pivot, and is tried until it completes or waits for an operator.
   */
  readonly compensatesOn: readonly string[];
  readonly run: StepHandler;
  /** Default: there is nothing to undo. */
  readonly compensate?: CompensationHandler;
  /** Of an attempt. Default 30 s. */
  readonly timeout?: Duration;
  /** Default: the manager's `recovery`. */
  readonly retry?: RetryOptions;
}

/** Made by `defineEventParticipant`. */
export interface EventParticipant extends Choreographed {
  readonly stage: string;
  /** Of the events it needs. */
  readonly subjects: readonly string[];
}

const WORD = "[A-Za-z0-9_-]+";

/** Errors: `definition-invalid`. */
export function defineEventParticipant(options: EventParticipantOptions): EventParticipant {
  const { saga: name, stage, on, compensatesOn, ...act } = options;
  const events = eventsOf(options);
  const step = actionStep(stage, act);
  const saga = defineSaga({
    ...{ name, waves: [{ steps: [step] }], pivotAfterWave: null, timeoutMs: null, style: "choreography" },
  });
  const isPastPivot = compensatesOn.length === 0;
  const own: Unit = { name: stage, step, after: events.before === null ? [] : [events.before], isPastPivot };
  // One without a name has no events.
  const behind = (events.behind ?? [""]).map((unit) => elsewhere(unit, stage));
  const units: Units = {
    all: [own, ...behind],
    // Where it is not the last one, what fails is another's to take up.
    turn: behind[0] ?? own,
    hasPivot: false,
  };
  const news = ["completed", "failed"].map((end) => `${name}.${stage}.${end}`);
  const subjects = [...new Set([on, ...compensatesOn, ...news])];
  return { ...choreographedOf(saga, units), isObserved: false, stage, subjects };
}

/** All else of the saga is elsewhere. */
function elsewhere(name: string, after: string): Unit {
  return { name, step: elsewhereStep(name), after: [after], isPastPivot: false };
}

/**
 * `before`: the unit whose completion begins it; null: the start of the run does. `behind`: the unit that is undone before it; none: it is the last
 * one; null: nothing undoes it.
 */
function eventsOf({ saga, stage, on, compensatesOn }: EventParticipantOptions) {
  const refuse = (expected: string, got: unknown): never => {
    const message = `event participant ${saga}.${stage}: expected ${expected}, got ${JSON.stringify(got)}`;
    throw new RuntimeError("definition-invalid", message, { saga, step: stage });
  };
  if (!new RegExp(`^${WORD}$`).test(stage)) refuse("a stage named by letters, digits, _ and -", stage);
  const unitIn = (event: string, news: string): string | undefined => {
    const rest = event.startsWith(`${saga}.`) ? event.slice(saga.length + 1) : "";
    return new RegExp(`^(${WORD}|\\*)\\.${news}$`).exec(rest)?.[1];
  };
  const before = on === `${saga}.started` ? null : unitIn(on, "completed");
  if (before === undefined || before === "*" || before === stage)
    return refuse(`"on" to be ${saga}.started or ${saga}.<another stage>.completed`, on);
  const behind = compensatesOn.flatMap((event) => unitIn(event, "compensated") ?? []);
  const isLast = (event: string): boolean => event === `${saga}.abort` || unitIn(event, "failed") !== undefined;
  const fits =
    compensatesOn.every(isLast) || (behind.length === 1 && compensatesOn.length === 1 && behind[0] !== stage);
  if (!fits || behind.includes("*"))
    return refuse(
      `"compensatesOn" to be one ${saga}.<the stage behind>.compensated, or of the last stage ${saga}.*.failed and ${saga}.abort`,
      compensatesOn,
    );
  return { before, behind: compensatesOn.length === 0 ? null : behind };
}
