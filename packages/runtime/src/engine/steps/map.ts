import { itemPath } from "../item-path.js";
import type { PlannedStep } from "../plan.js";
import type { JournalRecord } from "../records.js";
import { isDue, type MapState, type StepState } from "../state.js";
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
    const open = openSteps(items);
    const ended = open.find(({ forward }) => forward.status === "failed" || forward.status === "refused");
    if (ended !== undefined) return open.some(isRunning) ? [] : [failed(step, ended)];
    if (open.length === 0 && items.next === items.list.length) return [{ kind: "gathered", step: step.name, attempt }];
    const due = dueItems(turn).filter((index) => !turn.planned.evaluatesItems || isEvaluated(items, index));
    return due.map((index) => dispatch(turn, index));
  },
  unevaluated: (turn) => {
    const { planned, step } = turn;
    const items = itemsOf(step);
    if (!planned.evaluatesItems || openSteps(items).some(hasEnded)) return [];
    const open = dueItems(turn).filter((index) => !isEvaluated(items, index));
    return open.map((index) => itemPath(planned.name, index));
  },
  wakeAt: (step) => {
    const times = openSteps(itemsOf(step)).flatMap(({ forward: { status, dueAt } }) =>
      status === "waiting" && dueAt !== null ? [dueAt] : [],
    );
    return times.length === 0 ? null : Math.min(...times);
  },
  refusesValue: (planned, value) => {
    const most = maxItemsOf(planned);
    if (!Array.isArray(value)) return `expected a list, got ${JSON.stringify(value).slice(0, 80)}`;
    return value.length > most ? `expected a list of at most ${most} items, got ${value.length}` : null;
  },
};

/** Those to be begun or tried again now, as far as there is room. */
function dueItems({ planned, step, now }: Turn): number[] {
  const { open, steps, next, list } = itemsOf(step);
  const again = [...open].filter((index) => isDue(steps[index]?.forward ?? FRESH, now));
  const room = Math.min(concurrencyOf(planned) - open.size, list.length - next);
  return [...again, ...Array.from({ length: Math.max(0, room) }, (_, offset) => next + offset)];
}

const FRESH = { status: "idle", dueAt: null } as const;

function dispatch({ plan, planned, step }: Turn, index: number): JournalRecord {
  const item = itemsOf(step).steps[index];
  if (plan.strategy === "none" && item?.forward.status === "interrupted") return lostAttempt(item);
  const attempt = (item?.forward.attempt ?? 0) + 1;
  return { kind: "dispatched", step: itemPath(planned.name, index), direction: "forward", attempt, round: 1 };
}

function failed(step: StepState, { name, forward }: StepState): JournalRecord {
  const { code = "failed", message = "it failed", ...more } = forward.error ?? {};
  const error = { code, message: `${name}: ${message}`.slice(0, 500), ...more };
  const refused = forward.status === "refused";
  const { attempt } = step.forward;
  return { kind: "failed", step: step.name, direction: "forward", attempt, error, refused, mayHaveRun: false };
}

function openSteps({ open, steps }: MapState): StepState[] {
  return [...open].flatMap((index) => steps[index] ?? []);
}

const isRunning = ({ forward }: StepState): boolean => forward.status === "running";
const hasEnded = ({ forward }: StepState): boolean => forward.status === "failed" || forward.status === "refused";

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

function maxItemsOf({ definition }: PlannedStep): number {
  return definition.kind === "map" ? definition.maxItems : 0;
}
