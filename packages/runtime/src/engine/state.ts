import type { Json, JsonObject } from "../json.js";
import { type Act, newAct } from "./act.js";
import { type CrashState, newCrashState } from "./crashes.js";
import { type ItemPlace, parseItemPath } from "./item-path.js";
import type { RunPlan } from "./plan.js";
import type { EndStatus, Failure, UnwindCause } from "./records.js";

/** A run as its journal tells it. Made by `fold` alone. */
export interface RunState {
  /** False: its definition is gone. What its journal says is then shown, not judged. */
  readonly isJudged: boolean;
  /** What the run's timeout counts from: its creation, or the last time an operator led it on. */
  timedFrom: number;
  /** Somebody has begun it: its start came in time. */
  started: boolean;
  seq: number;
  fence: number;
  phase: "forward" | "unwinding" | "ended";
  readonly steps: Map<string, StepState>;
  /** Of completed steps, by name. */
  readonly outputs: Record<string, Json>;
  /** What completed steps returned into the context, merged in order. */
  context: JsonObject;
  /** Ends of child runs that no step has taken, by run id; null: there never was one. */
  childEnds: Map<string, ChildEnd> | null;
  /** The run that this one undoes, and the last fence of that run. */
  origin: { readonly run: string; readonly fence: number } | null;
  /** The choreographed run that this one is a unit of: participants know it by that one's id. */
  correlation: string | null;
  /** It was told to undo itself, as a unit; `late`: because the time of the whole is up. */
  toldToUndo: "no" | "in-time" | "late";
  /** A choreographed run whose units were told to undo themselves, and why. */
  abort: { readonly cause: UnwindCause; readonly error: Failure } | null;
  /** Signals that no step has taken, in the order they came. */
  readonly signals: KeptSignal[];
  /** Acts now running, so that nobody has to look through all steps. */
  running: number;
  /** Every wave before this one is complete. */
  wave: number;
  /** An operator wants it undone; the verb says how it then ends. */
  cancel: { readonly verb: "cancel" | "compensate"; readonly actor: string; readonly reason: string } | null;
  unwind: {
    readonly cause: UnwindCause;
    readonly compensate: boolean;
    readonly error: Failure;
    readonly step: string | null;
  } | null;
  /** Unwinding down to this wave only, to go forward again from there; null: all the way. */
  unwindTo: number | null;
  /** The last who led it on wants what failed tried again, and not only what is left. */
  retried: boolean;
  paused: boolean;
  stuck: Stuck | null;
  /** Of a choreographed run: where it is stuck, unit by unit; null: nowhere yet. It goes on when the last of them does. */
  stuckUnits: Map<string, Stuck> | null;
  readonly crashes: CrashState;
  checkpoints: number;
  completedSteps: number;
  end: { readonly status: EndStatus; readonly output: Json; readonly error: Failure | null } | null;
}

export interface Stuck {
  readonly step: string | null;
  readonly error: Failure;
}

export interface ChildEnd {
  readonly status: EndStatus;
  readonly output: Json;
  readonly error: Failure | null;
}

export interface KeptSignal {
  readonly id: string;
  readonly name: string;
  readonly payload: Json;
  /** By the store's clock. */
  readonly arrivedAt: number;
  /** Of the payload as JSON. */
  readonly bytes: number;
}

export interface StepState {
  readonly name: string;
  readonly forward: Act;
  readonly undo: Act;
  /** Counts from 1; a step that was undone runs again in a new one, under a key of its own. */
  round: number;
  output: Json;
  /** What its expressions gave; null: none has been evaluated. */
  evaluated: { readonly input?: Json; readonly value?: Json } | null;
  /** The run that its present attempt at it started, once that is known. */
  child: string | null;
  /** How many runs it started before, which ended and did not complete. */
  lostChildren: number;
  /** Those of them that failed and may have left something. */
  leftovers: readonly string[];
  /** Of a step that maps over a list, once that is known. */
  items: MapState | null;
  /** Of an item: its step, and its place in the list. */
  readonly item: ItemPlace | null;
}

/** What an item costs does not depend on its place: few are open at a time. */
export interface MapState {
  readonly list: readonly Json[];
  /** Of items that have begun, by index. */
  readonly steps: (StepState | undefined)[];
  /** The first item that has not begun. */
  next: number;
  /** Items that have begun and not completed. */
  readonly open: Set<number>;
  /** Of what completed items returned, as JSON. */
  outputBytes: number;
}

export function newState(plan: RunPlan | null, createdAt: number): RunState {
  const state: RunState = {
    isJudged: plan !== null,
    timedFrom: createdAt,
    started: false,
    seq: 0,
    fence: 0,
    phase: "forward",
    steps: new Map(),
    outputs: {},
    context: {},
    childEnds: null,
    origin: null,
    correlation: null,
    toldToUndo: "no",
    abort: null,
    signals: [],
    running: 0,
    wave: 0,
    cancel: null,
    unwind: null,
    unwindTo: null,
    retried: false,
    paused: false,
    stuck: null,
    stuckUnits: null,
    crashes: newCrashState(),
    checkpoints: 0,
    completedSteps: 0,
    end: null,
  };
  for (const name of plan?.steps.keys() ?? []) stepOf(state, name);
  return state;
}

/** A step the definition no longer knows is kept all the same: old journals stay readable. */
export function stepOf(state: RunState, name: string): StepState {
  let step = state.steps.get(name);
  if (step === undefined) {
    const item = parseItemPath(name);
    step = {
      name,
      forward: newAct(),
      undo: newAct(),
      round: 1,
      output: null,
      evaluated: null,
      child: null,
      lostChildren: 0,
      leftovers: [],
      items: null,
      item,
    };
    state.steps.set(name, step);
    const map = item === null ? null : state.steps.get(item.step)?.items;
    if (item !== null && map) map.steps[item.index] = step;
  }
  return step;
}

/** Nothing is decided until an operator acts. One who wants a stuck run undone has acted, and nobody has decided yet. */
export function waitsForOperator({ stuck, paused, cancel, phase, unwindTo }: RunState): boolean {
  const isUndecided = cancel !== null && (phase === "forward" || unwindTo !== null);
  return paused || (stuck !== null && !isUndecided);
}

/** Past the pivot a run only goes forward. */
export function isPastPivot(plan: RunPlan, state: RunState): boolean {
  return plan.pivotAfterWave !== null && state.wave > plan.pivotAfterWave;
}

/** The saga goes on after it: it completed, or its condition or an operator said that it need not run. */
export function isPassed({ forward }: StepState): boolean {
  return forward.status === "done" || forward.status === "skipped";
}

/** The act may be dispatched, by the store's clock. */
export function isDue({ status, dueAt }: Pick<Act, "status" | "dueAt">, now: number): boolean {
  return status === "idle" || status === "interrupted" || (status === "waiting" && (dueAt ?? 0) <= now);
}

/** It completed, or may have run: its compensation is due in an unwind. */
export function needsUndo(step: StepState): boolean {
  return step.forward.status === "done" || step.forward.mayHaveRun || step.leftovers.length > 0;
}

/** Steps of which nothing has been heard, or that have not begun. */
export function openSteps({ steps }: RunState): number {
  let open = 0;
  for (const { forward } of steps.values()) if (forward.status === "idle") open += 1;
  return open;
}
