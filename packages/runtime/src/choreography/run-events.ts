import { isDeepStrictEqual } from "node:util";
import type { EventMessage } from "../broker/event-message.js";
import { applyDelta, deltaOf } from "../engine/context.js";
import type { RunPlan } from "../engine/plan.js";
import type { ContextDelta, Failure, JournalRecord } from "../engine/records.js";
import type { RunState } from "../engine/state.js";
import { isObject, type Json, type JsonObject } from "../json.js";
import type { SagaDefinition, Unit } from "../saga/definition.js";
import type { RunRow } from "../store/run-store.js";
import { undoesAnother } from "../worker/inheritance.js";
import { type Carried, type StageEvent, stageMessage } from "./stage-events.js";
import { entryOf, unitRunId } from "./unit-entry.js";

const NONE: readonly EventMessage[] = [];

/** The events that leave with a row, in the same write: what a unit has to tell at its end, and that a choreographed run wants to be undone. */
export function eventsWith(
  run: RunRow,
  plan: RunPlan,
  state: RunState,
  records: readonly JournalRecord[],
  now: number,
): readonly EventMessage[] {
  const { definition } = plan;
  if (plan.isObserved) {
    const asked = records.find((record) => record.kind === "abort-requested");
    if (asked === undefined) return NONE;
    const { name: saga, version } = definition;
    const event = {
      ...BARE,
      id: `${run.id}:abort`,
      saga,
      version,
      run: run.id,
      unit: null,
      news: "abort",
      error: asked.error,
      isLate: asked.cause === "run-timeout",
    } as const;
    return [stageMessage(event, sourceOf(saga), now)];
  }
  if (definition.unit === undefined) return NONE;
  return [...newsOf(run, plan, state), ...stuckNews(run, plan, state, records)].map((event) =>
    stageMessage(event, sourceOf(event.saga), now),
  );
}

/** That a unit waits for an operator, and nothing else of it: what it has to tell at its end may be why. */
export function stuckEvents(
  run: RunRow,
  plan: RunPlan,
  state: RunState,
  error: Failure,
  now: number,
): readonly EventMessage[] {
  const news = stuckNews(run, plan, state, [{ kind: "stuck", error }]);
  return news.map((event) => stageMessage(event, sourceOf(event.saga), now));
}

/** What a run is started with. */
export function startedEvent(run: Pick<RunRow, "id" | "definition" | "version" | "input">, now: number): EventMessage {
  const { id, definition: saga, version, input } = run;
  const carried = { input, outputs: {}, context: {} };
  const event = { ...BARE, id: `${id}:started`, saga, version, run: id, unit: null, news: "started", carried } as const;
  return stageMessage(event, sourceOf(saga), now);
}

/** Of a unit that has nothing to undo: it never began, or it did so itself. */
export function compensatedEvent(
  saga: Pick<SagaDefinition, "name" | "version">,
  unit: Unit,
  run: string,
  isLate: boolean,
  now: number,
): EventMessage {
  const id = `${unitRunId(run, unit.name)}:compensated`;
  const event = {
    ...BARE,
    id,
    saga: saga.name,
    version: saga.version,
    run,
    unit: unit.name,
    news: "compensated",
    isLate,
  } as const;
  return stageMessage(event, sourceOf(saga.name), now);
}

export function abortRefusedEvent({ name: saga, version }: SagaDefinition, run: string, now: number): EventMessage {
  const event = { ...BARE, id: `${run}:abort-refused`, saga, version, run, unit: null, news: "abort-refused" } as const;
  return stageMessage(event, sourceOf(saga), now);
}

const BARE = { carried: null, error: null, refused: false, isLate: false, output: null, changed: null } as const;

function sourceOf(saga: string): string {
  return `/sagas/${saga}`;
}

function newsOf(run: RunRow, { definition }: RunPlan, state: RunState): StageEvent[] {
  const { end, toldToUndo, unwind } = state;
  if (definition.unit === undefined || end === null) return [];
  const { saga, unit } = definition.unit;
  const entry = entryOf(run);
  const base = { ...BARE, saga: saga.name, version: entry.version ?? saga.version, run: entry.run, unit: unit.name };
  const isUndoing = undoesAnother(run);
  const id = isUndoing ? unitRunId(entry.run, unit.name) : run.id;
  const isLate = entry.isLate || toldToUndo === "late";
  const compensated = { ...base, id: `${id}:compensated`, news: "compensated", isLate } as const;
  if (isUndoing || entry.isDead) return [compensated];
  if (end.status === "completed") {
    const told =
      unit.step === null ? gathered(entry.carried, unit, end.output) : passedOn(entry.carried, state, unit.name);
    const { outputs, context, ...own } = told;
    const carried = { input: entry.carried.input, outputs, context };
    return [{ ...base, id: `${id}:completed`, news: "completed", carried, ...own }];
  }
  const failed = {
    ...base,
    id: `${id}:failed`,
    news: "failed",
    error: end.error,
    refused: unwind?.cause === "step-refused",
  } as const;
  if (toldToUndo === "no") return [failed];
  // One that was told to while it failed by itself tells both.
  return end.status === "cancelled" ? [compensated] : [failed, compensated];
}

/** It waits for an operator, and with it the whole: another event each time. */
function stuckNews(
  run: RunRow,
  { definition }: RunPlan,
  state: RunState,
  records: readonly JournalRecord[],
): StageEvent[] {
  const stuck = records.find((record) => record.kind === "stuck");
  if (definition.unit === undefined || stuck === undefined) return [];
  const { saga, unit } = definition.unit;
  const { run: of, version = saga.version } = entryOf(run);
  const id = `${run.id}:stuck:${state.seq + 1}`;
  const event = { ...BARE, id, saga: saga.name, version, run: of, unit: unit.name, error: stuck.error } as const;
  return [{ ...event, news: "stuck", ...(undoesAnother(run) && { undoing: true }) }];
}

function passedOn(carried: Carried, { outputs, context }: RunState, unit: string) {
  const output = outputs[unit] ?? null;
  return {
    outputs: { ...carried.outputs, [unit]: output },
    context,
    output,
    changed: changedIn(carried.context, context),
  };
}

function changedIn(before: JsonObject, after: JsonObject): ContextDelta | null {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return deltaOf(after, new Set([...keys].filter((key) => !isDeepStrictEqual(before[key], after[key])))) ?? null;
}

/** What came from each unit of the wave, in the order of their declaration: of two that changed one key of the context the later one wins. */
function gathered(carried: Carried, { after }: Unit, output: Json) {
  const told = isObject(output) ? output : {};
  const parts = after.length === 1 ? [told] : after.map((unit) => told[unit]).filter(isObject);
  const outputs = { ...carried.outputs };
  let context = carried.context;
  for (const part of parts) {
    if (isObject(part.outputs)) Object.assign(outputs, part.outputs);
    if (part === parts[0] && isObject(part.context)) context = part.context;
    else if (isObject(part.changed)) context = applyDelta(context, part.changed as ContextDelta);
  }
  return { outputs, context, output: null, changed: null };
}
