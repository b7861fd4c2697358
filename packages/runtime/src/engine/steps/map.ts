import { itemPath } from "../item-path.js";
import { openItems } from "../items.js";
import type { PlannedStep } from "../plan.js";
import type { Failure, JournalRecord } from "../records.js";
import { isDue, isPassed, type MapState, type StepState } from "../state.js";
import { lostAttempt } from "./lost-attempt.js";
import type { StepKind, Turn } from "./step-kind.js";

/**
 * An action for each item of a list, so many at a time, each with its own attempts, its own key and its own compensation. The
 * step is suspended while its items run; an item between two attempts keeps its place. When one of them fails for good,
 * those under way come to their end, nothing new begins, and the step has failed.
 */
export const map: StepKind = {
  begin: ({ name }, step) => ({ kind: "suspended", step: name, attempt: step.forward.attempt + 1 }),
  proceed: (turn) => {
    const { step } = turn;
    const { attempt } = step.forward;
    const items = itemsOf(step);
    const open = openItems(items);
    const stop = stopOf(items);
    if (stop !== null)
      return open.some(isRunning)
        ? []
        : [{ kind: "failed", step: step.name, direction: "forward", attempt, ...stop, mayHaveRun: false }];
    if (turn.plan.strategy === "none") {
      const lost = open.filter(({ forward }) => forward.status === "interrupted");
      if (lost.length > 0) return lost.map(lostAttempt);
    }
    const due = dueItems(turn);
    if (open.length === 0 && due.length === 0) return [{ kind: "gathered", step: step.name, attempt }];
    const ready = due.filter((index) => !turn.planned.evaluatesItems || isEvaluated(items, index));
    return ready.map((index) => dispatch(turn, index));
  },
  unevaluated: (turn) => {
    const { planned, step } = turn;
    const items = itemsOf(step);
    if (!planned.evaluatesItems || stopOf(items) !== null) return [];
    const open = dueItems(turn).filter((index) => !isEvaluated(items, index));
    return open.map((index) => itemPath(planned.name, index));
  },
  refusesValue: (planned, value) => {
    const { definition } = planned;
    if (definition.kind !== "map") return null;
    if (value === null) return `expected a list, got nothing${definition.over.source === null ? "" : MAY_FIND_NOTHING}`;
    if (!Array.isArray(value)) return `expected a list, got ${JSON.stringify(value).slice(0, 80)}`;
    const most = definition.maxItems;
    return value.length > most
      ? `expected a list of at most ${most} items, got ${value.length}; allow more, or map over a part of it`
      : null;
  },
};

/** A name with a slip in it finds nothing too: what is meant is to be said. */
const MAY_FIND_NOTHING = "; write [ ... ] around an expression that may find nothing";

/** Those to be begun or tried again now, as far as there is room. */
function dueItems({ planned, step, now }: Turn): number[] {
  const { open, steps, next, list } = itemsOf(step);
  const due = [...open].filter((index) => isDue(steps[index]?.forward ?? FRESH, now));
  let room = concurrencyOf(planned) - open.size;
  for (let index = next; index < list.length && room > 0; index++) {
    const item = steps[index];
    // In a round after the first one some may stand.
    if (item !== undefined && (open.has(index) || isPassed(item))) continue;
    due.push(index);
    room -= 1;
  }
  return due;
}

const FRESH = { status: "idle", dueAt: null } as const;

function dispatch({ planned, step }: Turn, index: number): JournalRecord {
  const { forward, round = 1 } = itemsOf(step).steps[index] ?? {};
  const attempt = (forward?.attempt ?? 0) + 1;
  return { kind: "dispatched", step: itemPath(planned.name, index), direction: "forward", attempt, round };
}

/** Why nothing more begins. */
function stopOf(items: MapState): { readonly error: Failure; readonly refused: boolean } | null {
  const ended = openItems(items).find(({ forward: { status } }) => status === "failed" || status === "refused");
  if (ended !== undefined) {
    const { code = "failed", message = "it failed", ...more } = ended.forward.error ?? {};
    const error = { code, message: `${ended.name}: ${message}`.slice(0, 500), ...more };
    return { error, refused: ended.forward.status === "refused" };
  }
  if (items.outputBytes <= MAX_OUTPUT_BYTES) return null;
  const message = `expected at most ${MAX_OUTPUT_BYTES} bytes of output from all items, got more; return less from each`;
  return { error: { code: "payload-too-large", message }, refused: false };
}

/** Of any step; here, of the list of its items' outputs. */
const MAX_OUTPUT_BYTES = 1_048_576;

const isRunning = ({ forward }: StepState): boolean => forward.status === "running";

function isEvaluated({ steps }: MapState, index: number): boolean {
  return (steps[index]?.evaluated ?? null) !== null;
}

function itemsOf({ name, items }: StepState): MapState {
  if (items === null) throw new Error(`expected step "${name}" to know its list, it does not`);
  return items;
}

function concurrencyOf({ definition }: PlannedStep): number {
  return definition.kind === "map" ? definition.concurrency : 1;
}
