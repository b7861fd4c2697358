import {
  effectOf,
  forwardCalls,
  isStale,
  lastStatus,
  type Seen,
  type SeenRun,
  type Violation,
} from "../../oracle/seen.js";
import type { SleeperShape } from "../task-shapes.js";

/** Nothing of a workflow that sleeps goes on before its time; and what was approved is done once, what was not never. */
export function checkSleepers(seen: Seen, shapes: ReadonlyMap<string, SleeperShape>): Violation[] {
  return [...seen.runs.values()].flatMap((run) => {
    const shape = shapes.get(run.definition ?? "");
    return shape === undefined ? [] : [...early(run, shape), ...approval(seen, run, shape)];
  });
}

function early(run: SeenRun, shape: SleeperShape): Violation[] {
  const before = effectOf(forwardCalls(run, shape.before));
  if (before === null) return [];
  return run.calls.flatMap((call): Violation[] => {
    const { event } = call;
    if (event.direction !== "forward" || event.step === shape.before || isStale(call)) return [];
    const ms = event.at - before.event.at;
    const message = `"${event.step}" was called ${ms} ms after "${shape.before}", expected to sleep ${shape.sleepMs} ms between`;
    return ms >= shape.sleepMs ? [] : [{ rule: "woke early", run: run.id, message }];
  });
}

function approval({ signaled }: Seen, run: SeenRun, shape: SleeperShape): Violation[] {
  if (lastStatus(run) !== "completed") return [];
  const signals = signaled.filter((each) => each.run === run.id && each.signal === shape.signal);
  const isDone = effectOf(forwardCalls(run, shape.approved)) !== null;
  const broken = (message: string): Violation[] => [{ rule: "approval", run: run.id, message }];
  if (signals.length === 0) return isDone ? broken(`"${shape.approved}" was done, and nobody had approved it`) : [];
  const before = effectOf(forwardCalls(run, shape.before));
  // It begins to wait no sooner than that.
  const until = (before?.event.at ?? 0) + shape.sleepMs + shape.waitMs;
  const inTime = signals.some(({ at, taken }) => taken && at < until);
  return inTime && !isDone ? broken(`"${shape.approved}" was approved in time, and never done`) : [];
}
