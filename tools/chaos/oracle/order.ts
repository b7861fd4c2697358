import {
  compensationCalls,
  effectOf,
  forwardCalls,
  isStale,
  maySkip,
  referenceOf,
  type Seen,
  type SeenCall,
  type SeenRun,
  stepsOf,
  type Violation,
  wasSkipped,
} from "./seen.js";

/** Share of a call's timeout within which its caller cannot have given it up. */
const SURELY_WAITING = 0.6;

/** In what order calls may come: forward on what is durable, back in reverse, and never both. */
export function checkOrder(seen: Seen): Violation[] {
  return [...seen.runs.values()].flatMap((run) =>
    run.calls
      .filter((call) => !isStale(call))
      .flatMap((call) =>
        call.event.direction === "forward"
          ? [...afterEarlierWaves(run, call), ...notAfterUndoing(run, call)]
          : [...afterLaterWaves(run, call), ...afterSiblings(run, call, seen.timeoutMs)],
      ),
  );
}

function afterEarlierWaves(run: SeenRun, { event, order }: SeenCall): Violation[] {
  const wave = run.saga?.steps.get(event.step)?.wave ?? 0;
  return stepsOf(run)
    .filter((step) => step.wave < wave && !maySkip(run, step))
    .flatMap(({ name }) => {
      const effect = effectOf(forwardCalls(run, name));
      const broken = (message: string): Violation[] => [
        { rule: "forward order", run: run.id, message: `"${event.step}" was called ${message}` },
      ];
      if (effect === null || effect.order > order) return broken(`before "${name}" was done`);
      const reference = effect.event.output?.reference;
      if (referenceOf(event.outputs[name]) !== reference)
        return broken(`with another output of "${name}" than it gave`);
      return event.context[`of_${name}`] === reference
        ? []
        : broken(`with a context that lacks what "${name}" returned`);
    });
}

/** Once a step is being undone, no owner as new as that one calls it again. */
function notAfterUndoing(run: SeenRun, { event, order }: SeenCall): Violation[] {
  const undo = compensationCalls(run, event.step).find(
    (call) =>
      call.order < order && !isStale(call) && call.event.forwardKey === event.key && call.event.fence <= event.fence,
  );
  return undo === undefined
    ? []
    : [{ rule: "late step", run: run.id, message: `"${event.step}" was called after its compensation` }];
}

function afterLaterWaves(run: SeenRun, { event, order }: SeenCall): Violation[] {
  if (wasSkipped(run)) return [];
  const wave = run.saga?.steps.get(event.step)?.wave ?? 0;
  return stepsOf(run)
    .filter((step) => step.wave > wave && step.compensable)
    .flatMap(({ name }) => {
      const done = effectOf(forwardCalls(run, name));
      const undone = effectOf(compensationCalls(run, name));
      const tooLate = undone !== null ? undone.order > order : done !== null && done.order < order;
      return tooLate
        ? [
            {
              rule: "undo order",
              run: run.id,
              message: `"${event.step}" was undone before "${name}", which came after it`,
            },
          ]
        : [];
    });
}

/** Nothing is undone while a sibling's call may still be answered to the same owner. */
function afterSiblings(run: SeenRun, { event, order }: SeenCall, timeoutMs: number): Violation[] {
  return run.calls.flatMap((call) => {
    const forward = call.event;
    if (forward.direction !== "forward" || forward.fence !== event.fence || call.order > order) return [];
    const open = call.answer === null || call.answer.order > order;
    if (!open || event.at - forward.at > timeoutMs * SURELY_WAITING) return [];
    const message = `"${event.step}" was undone while "${forward.step}" was under way for ${event.at - forward.at} ms`;
    return [{ rule: "siblings settle", run: run.id, message }];
  });
}
