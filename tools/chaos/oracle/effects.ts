import {
  compensationCalls,
  effectOf,
  forwardCalls,
  lastStatus,
  maySkip,
  type Seen,
  type SeenRun,
  sagaRuns,
  stepsOf,
  type Violation,
  wasSkipped,
} from "./seen.js";

/** What the participants' ledger must show of a run that ended, and of the keys under which it was written. */
export function checkEffects(seen: Seen): Violation[] {
  return sagaRuns(seen).flatMap((run) => [...keys(run), ...oneEffect(run), ...end(run), ...pivot(run)]);
}

/** `<run>:<step>`, with `:r<n>` for a later round; its compensation's has `:compensate` behind it. */
function keys(run: SeenRun): Violation[] {
  return run.calls.flatMap(({ event: { step, direction, key, forwardKey } }) => {
    const forward = direction === "forward" ? key : (forwardKey ?? "");
    const expected = `${run.id}:${step}`;
    const isOfStep = forward === expected || /^:r\d+$/.test(forward.slice(expected.length));
    const fits =
      forward.startsWith(expected) && isOfStep && (direction === "forward" || key === `${forward}:compensate`);
    return fits ? [] : [{ rule: "keys", run: run.id, message: `"${step}" (${direction}) was called under ${key}` }];
  });
}

/** The ledger has one effect per key; this is one per step, whatever the keys. */
function oneEffect(run: SeenRun): Violation[] {
  const counts = new Map<string, number>();
  for (const { effect } of run.calls) {
    if (effect === null) continue;
    const round = /:r\d+/.exec(effect.event.key)?.[0] ?? "";
    const name = `${effect.event.direction} "${effect.event.step}"${round}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([name, count]) => ({ rule: "one effect", run: run.id, message: `${name} had its effect ${count} times` }));
}

function end(run: SeenRun): Violation[] {
  const status = lastStatus(run);
  const broken = (message: string): Violation => ({
    rule: "effects of the end",
    run: run.id,
    message: `${status}, and ${message}`,
  });
  return stepsOf(run).flatMap((step): Violation[] => {
    const { name, compensable } = step;
    const done = effectOf(forwardCalls(run, name)) !== null;
    const undone = effectOf(compensationCalls(run, name)) !== null;
    if (status === "completed") {
      if (!done && !maySkip(run, step)) return [broken(`"${name}" was never done`)];
      return undone ? [broken(`"${name}" was undone`)] : [];
    }
    if (status !== "compensated" && status !== "cancelled") return [];
    if (done && compensable && !undone && !wasSkipped(run)) return [broken(`"${name}" was done and not undone`)];
    return [];
  });
}

/** What lies behind the pivot is only reached by a run that never goes back. */
function pivot(run: SeenRun): Violation[] {
  const after = run.saga?.pivotAfterWave ?? null;
  if (after === null || run.saga === null) return [];
  const { steps } = run.saga;
  const passed = run.calls.some(({ event }) => (steps.get(event.step)?.wave ?? 0) > after);
  const undo = run.calls.find(({ event }) => event.direction === "compensate");
  if (!passed || undo === undefined) return [];
  return [{ rule: "pivot", run: run.id, message: `past its pivot, and "${undo.event.step}" was undone` }];
}
