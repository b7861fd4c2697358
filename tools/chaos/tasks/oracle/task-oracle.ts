import { type Evidence, judge } from "../../oracle/oracle.js";
import type { Violation } from "../../oracle/seen.js";
import type { TaskShapes } from "../task-shapes.js";
import { checkFunctions } from "./functions.js";
import { checkHeirs, type Heir, heirsOf } from "./heirs.js";
import { checkItems } from "./items.js";
import { checkProgress } from "./progress.js";
import { checkQueues } from "./queues.js";
import { checkRepeats, type Repeats } from "./repeats.js";
import { seeBatches } from "./seen-batches.js";
import { checkSleepers } from "./sleepers.js";
import { checkTicks, type ScheduleEnd } from "./ticks.js";
import { checkTogether } from "./together.js";

export interface TaskEvidence extends Evidence {
  readonly shapes: TaskShapes;
  /** What the source holds for a run. */
  readonly itemsOf: (run: string) => readonly string[];
  readonly schedules: readonly ScheduleEnd[];
  /** What a chunk of a killed instance may wait for its heir, ms. */
  readonly heirBoundMs: number;
}

export interface TaskVerdict {
  readonly violations: readonly Violation[];
  readonly heirs: readonly Heir[];
  readonly repeats: Repeats;
}

/** What holds for any run holds for tasks too; and what batches, sleepers, queues and schedules promise besides. */
export function judgeTasks(evidence: TaskEvidence): TaskVerdict {
  const { seen, shapes, itemsOf, schedules, heirBoundMs } = evidence;
  const batches = seeBatches(seen, { shapes: shapes.batches, itemsOf });
  const heirs = heirsOf(seen, batches);
  const { violations: repeated, repeats } = checkRepeats(seen, batches);
  const violations = [
    ...judge(evidence),
    ...checkItems(batches),
    ...checkTogether(seen, batches),
    ...repeated,
    ...checkHeirs(heirs, heirBoundMs),
    ...checkProgress(batches),
    ...checkFunctions(seen, shapes.functions),
    ...checkSleepers(seen, shapes.sleepers),
    ...checkQueues(seen, shapes.queues),
    ...checkTicks(seen, schedules),
  ];
  return { violations, heirs, repeats };
}
