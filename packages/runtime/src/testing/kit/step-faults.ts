import type { Direction } from "../../engine/records.js";
import { stepNameOf } from "./step-name.js";

/**
 * What goes wrong with one attempt at a step or its compensation. `refused`: the business says no, nothing was done. `failed`: a fault,
 * before anything was done. `reply-lost`: it is done, and the run is told that it failed. `twice`: it is done twice under one key,
 * as by a message that comes again. `hangs`: nothing is done and no answer comes. `held`: it waits for `until`, and is then done.
 */
export type StepFault =
  | { readonly kind: "refused" | "failed"; readonly status: number; readonly message: string }
  | { readonly kind: "reply-lost" | "twice" | "hangs" }
  | { readonly kind: "held"; readonly until: Promise<unknown> };

export interface Place {
  /** Name of the saga whose run it is. */
  readonly saga: string;
  /** As the journal has it: a step's name, or an item's path. */
  readonly stage: string;
  readonly direction: Direction;
  readonly attempt: number;
}

export interface FaultRule {
  /** Default: any. */
  readonly saga?: string;
  /** A step's name, for all its items as well, or the path of one item. */
  readonly stage: string;
  readonly direction: Direction;
  /** Attempts that it strikes; default all. */
  readonly times?: number;
  readonly fault: StepFault;
}

/** Faults that are to strike attempts, by rules: of several that fit, the one that was given first and still strikes. */
export class StepFaults {
  readonly #rules: (FaultRule & { left: number })[] = [];
  /** Attempts that were struck. */
  readonly struck: Place[] = [];

  add(rule: FaultRule): void {
    this.#rules.push({ ...rule, left: rule.times ?? Number.POSITIVE_INFINITY });
  }

  /** The fault of the attempt that begins now; null: none. */
  next(place: Place): StepFault | null {
    const { saga, stage, direction } = place;
    const step = stepNameOf(stage);
    const rule = this.#rules.find(
      (each) =>
        each.left > 0 &&
        each.direction === direction &&
        (each.stage === stage || each.stage === step) &&
        (each.saga ?? saga) === saga,
    );
    if (rule === undefined) return null;
    rule.left -= 1;
    this.struck.push(place);
    return rule.fault;
  }
}
