import type { PlannedStep } from "../plan.js";
import { action } from "./action.js";
import { batch } from "./batch.js";
import { child } from "./child.js";
import { map } from "./map.js";
import { sleep } from "./sleep.js";
import type { StepKind } from "./step-kind.js";
import { wait } from "./wait.js";

/** A step kind of the core has a file here and a line in this table. */
const KINDS: Readonly<Record<PlannedStep["definition"]["kind"], StepKind>> = { action, batch, child, map, sleep, wait };

export function kindOf({ definition }: PlannedStep): StepKind {
  return KINDS[definition.kind];
}
