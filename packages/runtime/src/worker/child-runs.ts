import type { ChildEndPayload } from "../engine/messages.js";
import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord } from "../engine/records.js";
import { isEnded } from "../engine/records.js";
import { type RunState, type StepState, stepOf } from "../engine/state.js";
import type { StepOutcome, Suspension } from "../engine/step-outcome.js";
import { childKey, stopsForward } from "../engine/steps/child.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { CreateRun, RunRow, RunStore, Signal } from "../store/run-store.js";
import { childRunId, undoRunId } from "./child-run-id.js";

/** The run of a saga that is about to be created, as its definition wants it. Throws `RuntimeError` when it refuses the input. */
export type NewRun = (
  saga: string,
  input: Json,
) => Pick<CreateRun, "type" | "definition" | "version" | "input" | "inputHash" | "attributes">;

type Outcome = StepOutcome | Suspension;

const UNDONE: StepOutcome = { kind: "completed", output: null };

/** What a child is started for. */
export interface ChildCall {
  readonly parent: RunRow;
  /** The child's, which follows from the step. */
  readonly id: string;
  readonly saga: string;
  readonly input: Json;
}

export interface ChildRunsOptions {
  readonly store: RunStore;
  readonly newRun: NewRun;
  /** Something may be due, or lie in the inbox of the run named. */
  readonly poke: (run: string) => void;
}

/**
 * Starting, canceling and undoing the runs that a run's steps start. Each call may be made again, by this owner or the next:
 * ids follow from the step, a run that is there already is not created again, and the store tells its state.
 */
export class ChildRuns {
  readonly #options: ChildRunsOptions;

  constructor(options: ChildRunsOptions) {
    this.#options = options;
  }

  async start(call: ChildCall): Promise<Outcome> {
    const { parent, id, saga, input } = call;
    const { priority, queue, sessionId, tenant, rootId } = parent;
    let described: ReturnType<NewRun>;
    try {
      described = this.#options.newRun(saga, input);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      return { kind: "refused", error: { code: error.code, message: error.message.slice(0, 500) } };
    }
    return this.#create({
      ...{ id, ...described, tenant, priority, queue, sessionId, rootId, parentId: parent.id },
      ...{ key: null, businessKey: null, partitionKey: null, restartedFrom: null, claim: null },
    });
  }

  /**
   * Brings the child to its end, and then undoes what it did; and so with those before it that failed. `current`: what is known
   * of the child. Nobody knows: it is created to be canceled, so that a late attempt at creating it finds it there.
   */
  async undo(
    call: ChildCall,
    current: "completed" | "unknown" | "nothing",
    leftovers: readonly string[],
    reason: string,
  ): Promise<Outcome> {
    if (current !== "nothing") {
      const undone = await this.#undoOne(call, current === "unknown", reason);
      if (undone.kind !== "completed") return undone;
    }
    for (const id of leftovers.toReversed()) {
      const undone = await this.#undoOne({ ...call, id }, false, reason);
      if (undone.kind !== "completed") return undone;
    }
    return UNDONE;
  }

  async #undoOne(call: ChildCall, mayBeMissing: boolean, reason: string): Promise<Outcome> {
    const { store } = this.#options;
    const { id } = call;
    let child = await store.get(id);
    if (child === undefined) {
      if (!mayBeMissing) return missing(id);
      const started = await this.start(call);
      // Its input is refused, now as before: there never was such a run.
      if (started.kind === "refused") return UNDONE;
      if (started.kind !== "suspended") return started;
      child = await store.get(id);
      if (child === undefined) return missing(id);
    }
    if (!isEnded(child.status)) {
      await store.signal([cancelOf(call.parent.id, id, reason)]);
      this.#options.poke(id);
      return { kind: "suspended", child: id, undoes: false };
    }
    if (child.status === "compensated" || child.status === "cancelled") return UNDONE;
    return this.#undoEnded(call.parent, child);
  }

  async #undoEnded(parent: RunRow, child: RunRow): Promise<Outcome> {
    const id = undoRunId(child.id);
    const undo = await this.#options.store.get(id);
    if (undo?.status === "compensated") return UNDONE;
    if (undo !== undefined && isEnded(undo.status)) {
      const message = `expected run ${id} to undo run ${child.id}, it ended ${undo.status}; undo by hand what is left, then skip`;
      return { kind: "refused", error: { code: "undo-failed", message } };
    }
    const { type, tenant, definition, version, input, inputHash, priority, queue, sessionId } = child;
    return this.#create({
      ...{ id, type, tenant, definition, version, input, inputHash, priority, queue, sessionId },
      ...{ rootId: parent.rootId, parentId: parent.id, restartedFrom: child.id },
      ...{ key: null, businessKey: null, attributes: null, partitionKey: null, claim: null },
    });
  }

  async #create(run: CreateRun): Promise<Outcome> {
    const [result] = await this.#options.store.create([run]);
    if (result?.kind === "rejected")
      return { kind: "refused", error: { code: "input-invalid", message: result.reason.slice(0, 500) } };
    this.#options.poke(run.id);
    return { kind: "suspended", child: run.id, undoes: run.restartedFrom !== null };
  }
}

function missing(child: string): StepOutcome {
  const message = `expected run ${child} to be kept as long as its parent goes on, it is gone; undo by hand what it did, then skip`;
  return { kind: "refused", error: { code: "child-missing", message } };
}

/**
 * Messages for other runs that go out with a row, in the same write: the end of a child for its parent, and for children
 * that may be under way when their parent stops going forward, that they are canceled.
 */
export function messagesWith(
  run: RunRow,
  plan: RunPlan,
  state: RunState,
  records: readonly JournalRecord[],
): readonly Signal[] {
  const signals: Signal[] = [];
  const { parentId, id } = run;
  if (state.end !== null && parentId !== null) {
    const { status, output, error } = state.end;
    const payload = { run: id, status, output, error } satisfies ChildEndPayload;
    // A failure is JSON that was read from an answer, or written here.
    const end = (to: string): Signal => ({
      ...{ run: to, id: `end:${id}`, name: run.definition, actor: `run ${id}` },
      kind: "child",
      payload: payload as unknown as Json,
    });
    // A parent that was abandoned hears nothing any more: the run that undoes it, if there is one, waits for its children.
    signals.push(end(parentId), end(undoRunId(parentId)));
  }
  if (!plan.hasChildren || !records.some(stopsForward)) return signals;
  for (const { name, definition } of plan.steps.values()) {
    const step = stepOf(state, name);
    if (definition.kind !== "child" || !step.forward.mayHaveRun) continue;
    signals.push(cancelOf(id, childOf(run, state, step), state.unwind?.error.message ?? "it ended"));
  }
  return signals;
}

/** The run that the step started, or would have: an attempt of which nothing is known had no other id to give. */
export function childOf(run: Pick<RunRow, "id">, state: RunState, step: StepState): string {
  return step.child ?? childRunId(state.origin?.run ?? run.id, childKey(step));
}

function cancelOf(parent: string, child: string, reason: string): Signal {
  const payload = { reason: `its parent stops: ${reason}`.slice(0, 500) };
  // One wish, however often it is told.
  return { run: child, id: `cancel:${parent}`, kind: "verb", name: "cancel", payload, actor: `run ${parent}` };
}
