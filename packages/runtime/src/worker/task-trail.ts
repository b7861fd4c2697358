import type { StepState } from "../engine/state.js";
import type { TaskOp } from "../engine/task-state.js";
import { type ErrorCode, RuntimeError } from "../errors.js";
import { isStorableText } from "../json.js";

/** What a run may save, waits included. */
const MAX_OPS = 10_000;
const MAX_NAME = 200;

const KINDS = { checkpoint: "a checkpoint", sleep: "a sleep", signal: "a wait for a signal" } as const;

/** What a function does at one place, and what it saved there in an execution before; null: nothing. */
export interface Entered<Kind extends TaskOp["kind"]> {
  /** Null: it does several things at once, and the order in which they come says nothing. */
  readonly place: number | null;
  readonly known: Extract<TaskOp, { readonly kind: Kind }> | null;
}

/**
 * What a function does in one execution, compared with what its journal says that it did in those before. As long as it does one thing after the
 * other, each has a place, and another one at that place shows that the function is not the same any more. What it does at
 * once is known by its names alone.
 */
export class TaskTrail {
  readonly #step: StepState;
  readonly #called = new Set<string>();
  #places = 0;
  #isSequential = true;

  constructor(step: StepState) {
    this.#step = step;
  }

  get isSequential(): boolean {
    return this.#isSequential;
  }

  /** Errors, after which the execution is over: `task-diverged`, `too-many-checkpoints`, `definition-invalid` (the name). */
  enter<Kind extends TaskOp["kind"]>(name: string, kind: Kind, isAlone: boolean): Entered<Kind> {
    if (typeof name !== "string" || name === "" || name.length > MAX_NAME || !isStorableText(name))
      throw refusal("definition-invalid", `expected a name of 1 to ${MAX_NAME} characters, got ${shown(name)}`);
    if (this.#called.has(name)) {
      const message = `expected each name once in an execution, got ${shown(name)} again; put what differs into the name`;
      throw refusal("definition-invalid", message);
    }
    this.#called.add(name);
    if (this.#called.size > MAX_OPS) {
      const message = `expected at most ${MAX_OPS} checkpoints and waits in a run, got one more; save more in each, or make it a batch`;
      throw refusal("too-many-checkpoints", message);
    }
    this.#isSequential &&= isAlone;
    this.#places += 1;
    const place = this.#isSequential ? this.#places : null;
    const known = this.#step.task?.ops.get(name) ?? null;
    this.#check(name, kind, place, known);
    return { place, known: known as Entered<Kind>["known"] };
  }

  /** What was decided before; else whether nothing is saved to which this execution has not come yet. */
  patch(id: string): { readonly isTaken: boolean; readonly isNew: boolean } {
    const known = this.#step.task?.patches.get(id);
    return known === undefined
      ? { isTaken: this.unvisited === undefined, isNew: true }
      : { isTaken: known, isNew: false };
  }

  /** Something that was saved and that this execution has not come to; undefined: there is nothing. */
  get unvisited(): string | undefined {
    const ops = this.#step.task?.ops;
    if (ops === undefined || ops.size === 0) return undefined;
    for (const name of ops.keys()) if (!this.#called.has(name)) return name;
    return undefined;
  }

  #check(name: string, kind: TaskOp["kind"], place: number | null, known: TaskOp | null): void {
    if (known !== null && known.kind !== kind)
      throw diverged(`${KINDS[known.kind]} named ${shown(name)}, as it was before`, KINDS[kind]);
    if (place === null) return;
    const before = this.#step.task?.places.get(place);
    if (before !== undefined && before !== name)
      throw diverged(`${shown(before)} in place ${place}, as it was before`, shown(name));
    if (known !== null && known.place !== null && known.place !== place)
      throw diverged(`${shown(name)} in place ${known.place}, as it was before`, `it in place ${place}`);
  }
}

/** A function must do the same again as far as it has come. */
export function diverged(expected: string, got: string): RuntimeError {
  const advice = "mend the function, or guard what is new with patch(id), and resume the run";
  return refusal("task-diverged", `expected ${expected}, got ${got}; ${advice}`);
}

function refusal(code: ErrorCode, message: string): RuntimeError {
  return new RuntimeError(code, message);
}

function shown(name: unknown): string {
  return (JSON.stringify(name) ?? String(name)).slice(0, 80);
}
