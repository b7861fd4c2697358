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
  sagaRuns,
  stepsOf,
  type Violation,
  wasDisturbed,
  wasSkipped,
} from "./seen.js";

/** Share of a call's timeout within which its caller cannot have given it up. */
const SURELY_WAITING = 0.6;
/** How long before a call of its successor an owner was lost at most, ms: a lease, and as much again. */
const REPLACED_WITHIN_MS = 6_000;

/** In what order calls may come: forward on what is durable, back in reverse, and never both. */
export function checkOrder(seen: Seen): Violation[] {
  return sagaRuns(seen).flatMap((run) =>
    run.calls
      .filter((call) => !isStale(call))
      .flatMap((call) =>
        call.event.direction === "forward"
          ? [...afterEarlierWaves(run, call), ...notAfterUndoing(run, call, seen)]
          : [...afterLaterWaves(run, call), ...afterOthers(run, call, seen)],
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

/** Once a step is being undone, no owner as new as that one calls it again. Where fences do not tell: none that nothing was done to. */
function notAfterUndoing(run: SeenRun, { event, order }: SeenCall, seen: Seen): Violation[] {
  const undo = compensationCalls(run, event.step).find(
    (call) =>
      call.order < order && !isStale(call) && call.event.forwardKey === event.key && call.event.fence <= event.fence,
  );
  if (undo === undefined) return [];
  return seen.isChoreographed && wasDisturbed(seen, event.instance, undo.event.at - REPLACED_WITHIN_MS, event.at)
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

/** Nothing is undone while another call that it waits for may still be answered to its owner. */
function afterOthers(run: SeenRun, undo: SeenCall, seen: Seen): Violation[] {
  const { event, order } = undo;
  return run.calls.flatMap((call) => {
    const forward = call.event;
    if (forward.direction !== "forward" || call.order > order) return [];
    const open = call.answer === null || call.answer.order > order;
    if (!open || event.at - forward.at > seen.timeoutMs * SURELY_WAITING) return [];
    if (!(seen.isChoreographed ? isBehind(run, call, undo, seen) : forward.fence === event.fence)) return [];
    const message = `"${event.step}" was undone while "${forward.step}" was under way for ${event.at - forward.at} ms`;
    return [{ rule: "siblings settle", run: run.id, message }];
  });
}

/**
 * Choreographed: a call of the stage itself by who undoes it, or one of a stage behind it by an owner that nothing was done to and nobody has
 * replaced. Stages of one wave are undone one after the other, so that another one may still be under way.
 */
function isBehind(run: SeenRun, { event: forward }: SeenCall, { event: undo, order }: SeenCall, seen: Seen): boolean {
  if (forward.step === undo.step) return forward.instance === undo.instance;
  const waveOf = (step: string): number => run.saga?.steps.get(step)?.wave ?? 0;
  if (waveOf(forward.step) <= waveOf(undo.step)) return false;
  const isReplaced = run.calls.some(
    (call) => call.order < order && call.event.step === forward.step && call.event.instance !== forward.instance,
  );
  return !isReplaced && !wasDisturbed(seen, forward.instance, forward.at, undo.at);
}
