import type { JournalRecord } from "../engine/records.js";
import { type StepState, stepOf } from "../engine/state.js";
import type { SavedOp, SignalOp, TaskOp, TimerOp } from "../engine/task-state.js";
import { BusinessRefusal, RuntimeError } from "../errors.js";
import { type Json, toJson } from "../json.js";
import { runHandler } from "../participants/local.js";
import type { CancelTimer } from "../ports.js";
import type { FunctionStep } from "../saga/definition.js";
import type { CheckpointCall, TaskCall } from "../saga/task-call.js";
import type { Attempt, Outcome } from "./attempt.js";
import type { AbortCode, AttemptAbort } from "./attempt-abort.js";
import type { RunSurroundings } from "./run-surroundings.js";
import { taskCall, taskKey } from "./task-call.js";
import { type PendingWait, TaskPause } from "./task-pause.js";
import { TaskProgress } from "./task-progress.js";
import { diverged, type Entered, TaskTrail } from "./task-trail.js";

/** How long a function may go on after it was told to stop. */
const GRACE_MS = 10_000;
/** Of all that a run saves, as JSON. */
const MAX_SAVED_BYTES = 64 * 1_048_576;

/**
 * One execution of a task's function. What it asks for by its call is answered from the run's state where an execution before has
 * saved it; else it is done, and the function goes on when the journal has it. It is over when the function has come to its end,
 * when it waits for long (then nothing here goes on, ever), or when it was told to stop and did not within the grace.
 */
export class TaskExecution {
  readonly #surroundings: RunSurroundings;
  readonly #attempt: Attempt;
  readonly #abort: AttemptAbort;
  readonly #step: StepState;
  readonly #trail: TaskTrail;
  readonly #progress: TaskProgress;
  readonly #pause: TaskPause;
  /** What is on its way to the journal, by name. */
  readonly #unwritten = new Map<string, (op: TaskOp) => void>();
  /** Asked for, and not answered. */
  #inFlight = 0;
  /** What a checkpoint threw last: the function may have caught it. */
  #thrown: { readonly name: string; readonly place: number | null; readonly error: unknown } | null = null;
  #stopped: { readonly error: RuntimeError; readonly code: AbortCode } | null = null;
  #isOver = false;
  #resolve: (outcome: Outcome) => void = () => {};
  #cancelTimer: CancelTimer = () => {};
  #unlisten: () => void = () => {};

  constructor(surroundings: RunSurroundings, attempt: Attempt, abort: AttemptAbort) {
    this.#surroundings = surroundings;
    this.#attempt = attempt;
    this.#abort = abort;
    this.#step = stepOf(surroundings.state, attempt.step);
    this.#trail = new TaskTrail(this.#step);
    const { notes, clock, env } = surroundings;
    this.#progress = new TaskProgress(notes, clock, attempt.step);
    this.#pause = new TaskPause({
      ...{ clock, storeNow: () => env.storeNow(), parkAfterMs: env.parkAfterMs },
      isSequential: () => this.#trail.isSequential,
      suspend: (until, awaits) => this.#settle({ kind: "suspended", until, awaits }),
    });
  }

  run({ run }: FunctionStep, timeoutMs: number): Promise<Outcome> {
    const { clock, notes } = this.#surroundings;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#unlisten = notes.listen(() => this.#told());
      const late = `expected the execution to end, or to wait, within ${timeoutMs} ms`;
      this.#cancelTimer = clock.after(timeoutMs, () => this.#abort.abort(late));
      this.#abort.onAbort = (reason, code) => this.#stop(reason, code);
      this.#abort.onYield = () => this.#pause.yield();
      const what = (): string => `the output of task "${this.#surroundings.plan.definition.name}"`;
      void Promise.resolve(runHandler(run, this.#call(), what)).then((outcome) => this.#ended(outcome));
    });
  }

  #call(): TaskCall {
    const { run } = this.#surroundings;
    return taskCall({
      ...{ runId: run.id, input: run.input, attempt: this.#attempt, abort: this.#abort },
      checkpoint: (name, work) =>
        this.#do(name, "checkpoint", async ({ place, known }) =>
          known === null ? this.#work(name, place, work) : replayed(known),
        ),
      sleep: (name, time) => this.#do(name, "sleep", (entered) => this.#sleep(name, entered, time)),
      waitFor: (name, signal, timeoutMs) =>
        this.#do(name, "signal", (entered) => this.#waitFor(name, entered, signal, timeoutMs)),
      patch: (id) => this.#patch(id),
      progress: (value) => {
        if (!this.#isOver) this.#progress.tell(value);
      },
    });
  }

  /** Nothing that is asked for when it is over is ever answered: the function stays where it is, and is forgotten. */
  #do<Kind extends TaskOp["kind"], Value>(
    name: string,
    kind: Kind,
    act: (entered: Entered<Kind>) => Promise<Value>,
  ): Promise<Value> {
    if (this.#isOver) return never();
    if (this.#stopped !== null) return handled(Promise.reject(this.#stopped.error));
    let entered: Entered<Kind>;
    try {
      entered = this.#trail.enter(name, kind, this.#inFlight === 0);
    } catch (error) {
      this.#break(error);
      return never();
    }
    this.#saveCaught();
    this.#inFlight += 1;
    this.#pause.stir();
    const answered = act(entered).finally(() => {
      this.#inFlight -= 1;
      this.#pause.rest();
    });
    return handled(this.#isOver ? never() : answered);
  }

  async #work(name: string, place: number | null, work: (call: CheckpointCall) => unknown): Promise<Json> {
    await this.#pause.here(name);
    const leave = this.#pause.enter();
    try {
      let value: unknown;
      try {
        value = await work({
          idempotencyKey: taskKey(this.#surroundings.run.id, this.#attempt, name),
          signal: this.#abort.signal,
        });
      } catch (error) {
        if (error instanceof BusinessRefusal) {
          const { code, message } = error;
          const failure = { code, message: message.slice(0, 500) };
          await this.#write(name, { ...this.#placed(place), error: failure, refused: true });
        } else this.#thrown = { name, place, error };
        throw error;
      }
      const output = this.#storable(name, value);
      if (output === undefined) return await never();
      await this.#write(name, { ...this.#placed(place), output });
      return output;
    } finally {
      leave();
    }
  }

  async #sleep(name: string, { place, known }: Entered<"sleep">, time: number | Date): Promise<void> {
    const when = time instanceof Date ? { until: time.getTime() } : { afterMs: Math.ceil(time) };
    const op = known ?? ((await this.#begin(name, place, when)) as TimerOp);
    await this.#pause.until(name, op.dueAt);
  }

  async #waitFor(
    name: string,
    { place, known }: Entered<"signal">,
    signal: string,
    timeoutMs: number | null,
  ): Promise<Json | undefined> {
    const when = timeoutMs === null ? { signal } : { signal, afterMs: timeoutMs };
    const op = known ?? ((await this.#begin(name, place, when)) as SignalOp);
    if (op.taken === null) await this.#pause.forSignal(op.dueAt, waitOf(name, op));
    return op.taken === null || op.taken === "timed-out" ? undefined : op.taken.payload;
  }

  /** The wait is in the journal, so that a later execution does not begin it anew. */
  async #begin(name: string, place: number | null, when: Waiting): Promise<TaskOp> {
    const leave = this.#pause.enter();
    const { notes, env, state } = this.#surroundings;
    const waits = (): JournalRecord => ({
      ...{ kind: "waits", step: this.#step.name, name },
      ...this.#placed(place),
      ...when,
    });
    try {
      // What else is asked for in this turn shows then.
      await null;
      const isAlone = this.#trail.isSequential && this.#inFlight === 1 && !this.#isOver && this.#stopped === null;
      const until = when.until ?? (when.afterMs === undefined ? null : env.storeNow() + when.afterMs);
      const isLong = until === null || until - env.storeNow() > env.parkAfterMs;
      const isThere = state.signals.some((signal) => signal.name === when.signal);
      if (!isAlone || !isLong || isThere) return await this.#written(name, () => notes.add(waits()));
      // One row says both.
      notes.put(waits());
      this.#settle({ kind: "suspended", until, awaits: when.signal === undefined ? [] : [name] });
      return await never();
    } finally {
      leave();
    }
  }

  #write(name: string, saved: object): Promise<TaskOp> {
    return this.#written(name, () =>
      this.#surroundings.notes.add({ kind: "saved", step: this.#step.name, name, ...saved }),
    );
  }

  #written(name: string, write: () => void): Promise<TaskOp> {
    return new Promise((resolve) => {
      // Of one that is over nothing more is said: its next execution does it again.
      if (this.#isOver) return;
      this.#unwritten.set(name, resolve);
      write();
    });
  }

  /** The journal has something new. */
  #told(): void {
    const ops = this.#step.task?.ops;
    if (ops === undefined) return;
    for (const [name, resolve] of this.#unwritten) {
      const op = ops.get(name);
      if (op === undefined) continue;
      this.#unwritten.delete(name);
      resolve(op);
    }
    this.#pause.told();
  }

  /** What the function caught and goes on from is a result like another: the next execution has to go the same way. */
  #saveCaught(): void {
    const caught = this.#thrown;
    this.#thrown = null;
    // Of what goes on at once nobody knows who has caught what.
    if (caught === null || !this.#trail.isSequential) return;
    const error = { code: "handler-threw", message: messageOf(caught.error) };
    this.#surroundings.notes.add({
      ...{ kind: "saved", step: this.#step.name, name: caught.name, ...this.#placed(caught.place), error },
    });
  }

  /** Of what was begun first of several at once, the place says as little as of the others. */
  #placed(place: number | null): { readonly place?: number } {
    return place === null || !this.#trail.isSequential ? {} : { place };
  }

  /** Undefined: the execution is over, for doing it again would not make it storable. */
  #storable(name: string, value: unknown): Json | undefined {
    try {
      const output = toJson(value, () => `what checkpoint "${name}" saves`);
      const bytes = (this.#step.task?.savedBytes ?? 0) + Buffer.byteLength(JSON.stringify(output));
      if (bytes <= MAX_SAVED_BYTES) return output;
      const message = `expected a run to save at most ${MAX_SAVED_BYTES} bytes, got ${bytes} with checkpoint "${name}"; save where it lies, not the whole`;
      throw new RuntimeError("payload-too-large", message);
    } catch (error) {
      this.#break(error);
      return undefined;
    }
  }

  #patch(id: string): boolean {
    const { isTaken, isNew } = this.#trail.patch(id);
    if (isNew && !this.#isOver)
      this.#surroundings.notes.add({ kind: "patched", step: this.#step.name, patch: id, isTaken });
    return isTaken;
  }

  #ended(outcome: Outcome): void {
    const unvisited = outcome.kind === "completed" ? this.#trail.unvisited : undefined;
    if (unvisited !== undefined && this.#stopped === null)
      return this.#break(diverged(`${JSON.stringify(unvisited)} to be done, as it was before`, "the end without it"));
    // One that was told to stop may leave out what it likes.
    const hasStopped = this.#stopped !== null && (outcome.kind === "failed" || unvisited !== undefined);
    if (!hasStopped || this.#stopped === null) return this.#settle(outcome);
    const { error, code } = this.#stopped;
    const failure = { code, message: error.message.slice(0, 500) };
    this.#settle({ kind: "failed", error: failure, mayHaveRun: true, retry: true });
  }

  /** The lease is lost: whoever has the run now does it again. Else the function may come to its end. */
  #stop(reason: string, code: AbortCode): void {
    if (this.#isOver) return;
    const message = `expected task "${this.#surroundings.plan.definition.name}" to stop: ${reason}`;
    const error = new RuntimeError(code === "lease-lost" ? code : "task-stopped", message);
    this.#stopped = { error, code };
    this.#pause.stop(error);
    this.#cancelTimer();
    if (code === "lease-lost") return this.#close();
    const stopped = { code, message: `${message}; it did not within ${GRACE_MS} ms`.slice(0, 500) };
    this.#cancelTimer = this.#surroundings.clock.after(GRACE_MS, () =>
      this.#settle({ kind: "failed", error: stopped, mayHaveRun: true, retry: true }),
    );
  }

  /** Another execution would come to the same. */
  #break(error: unknown): void {
    const code = error instanceof RuntimeError ? error.code : "internal";
    this.#settle({
      kind: "failed",
      error: { code, message: messageOf(error) },
      ...{ mayHaveRun: true, retry: false },
    });
  }

  #settle(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#close();
    this.#resolve(outcome);
    // What is left of it may hold something that it would give back.
    this.#abort.abort("this execution of the task is over");
  }

  #close(): void {
    this.#isOver = true;
    this.#cancelTimer();
    this.#unlisten();
    this.#progress.close();
    this.#pause.close();
    this.#unwritten.clear();
  }
}

function replayed({ output, error, isRefusal }: SavedOp): Json {
  if (error === null) return output;
  throw isRefusal ? new BusinessRefusal(error.message, error.code) : new Error(error.message);
}

interface Waiting {
  readonly signal?: string;
  readonly afterMs?: number;
  readonly until?: number;
}

function waitOf(name: string, op: SignalOp): PendingWait {
  return { name, isOver: () => op.taken !== null };
}

/** Nobody may wait for it, and then nobody is there to hear that it failed. */
function handled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}

/** Made anew each time: one that many wait for would keep all of them. */
function never(): Promise<never> {
  return new Promise(() => {});
}
