import {
  compensationCalls,
  effectOf,
  forwardCalls,
  isStale,
  lastStatus,
  mayHaveRun,
  referenceOf,
  type Seen,
  type SeenCall,
  type SeenRun,
  sagaRuns,
  stepsOf,
  type Violation,
  wasDisturbed,
  wasSkipped,
} from "./seen.js";

/** How long after an answer its caller has surely read it, unless something was done to it, ms. */
const READ_MS = 1_000;

/** Compensations run for what completed or may have run, for all of it, and for nothing else. */
export function checkExactness(seen: Seen): Violation[] {
  return sagaRuns(seen).flatMap((run) =>
    stepsOf(run).flatMap(({ name, compensable }) => [
      ...(compensable ? notForgotten(run, name) : []),
      ...compensationCalls(run, name)
        .filter((call) => !isStale(call))
        .flatMap((call) => [...told(run, call), ...notRefused(run, call, seen)]),
    ]),
  );
}

function notForgotten(run: SeenRun, step: string): Violation[] {
  const status = lastStatus(run);
  if ((status !== "compensated" && status !== "cancelled") || wasSkipped(run)) return [];
  if (!mayHaveRun(forwardCalls(run, step)) || compensationCalls(run, step).length > 0) return [];
  return [
    { rule: "forgotten", run: run.id, message: `${status}, and "${step}", which may have run, was never undone` },
  ];
}

/** `completed` is said of what completed, with the output it gave. */
function told(run: SeenRun, { event, order }: SeenCall): Violation[] {
  if (event.outcome !== "completed") return [];
  const effect = effectOf(forwardCalls(run, event.step));
  const broken = (message: string): Violation[] => [
    { rule: "outcome", run: run.id, message: `"${event.step}" is undone as completed, ${message}` },
  ];
  if (effect === null || effect.order > order) return broken("and it never was");
  return referenceOf(event.output) === effect.event.output?.reference ? [] : broken("with another output than it gave");
}

/** A step whose one call was refused, to an owner that surely heard it and still owns the run, is left alone. */
function notRefused(run: SeenRun, { event }: SeenCall, seen: Seen): Violation[] {
  const calls = forwardCalls(run, event.step);
  const [only] = calls;
  const answer = only?.answer;
  if (only === undefined || answer == null || calls.length > 1 || answer.event.status !== 422) return [];
  // Of an attempt before the first one seen, nobody knows whether it was sent.
  if (only.event.attempt > 1) return [];
  if (only.event.fence !== event.fence || answer.event.at - only.event.at > seen.timeoutMs / 2) return [];
  return wasDisturbed(seen, only.event.instance, only.event.at - READ_MS, answer.event.at + READ_MS)
    ? []
    : [
        {
          rule: "undone without cause",
          run: run.id,
          message: `"${event.step}" was refused and is undone all the same`,
        },
      ];
}
