import type { Duration } from "../duration.js";
import type { Json } from "../json.js";

/** Returns the task's output, JSON of at most 1 MiB. Throwing `BusinessRefusal` fails the task at once; any other throw is retried. */
export type TaskFunction<Input = Json, Output = unknown> = (call: TaskCall<Input>) => Output | Promise<Output>;

/** A value as the journal gives it back: what returns nothing gives null. */
export type Saved<Output> = [Output] extends [undefined] ? null : [undefined] extends [Output] ? null : Output;

/**
 * What a task's function is given. The function is run from its start again after a crash, after a failure and after each long wait; what it
 * did by these methods it then gets without doing it again. So whatever it decides by must come from them or from its input: a
 * time, a random number or what a service answers belongs into a checkpoint. Each name may be used once: put what differs into it
 * (`charge-${order.id}`). A function that does something else at a place where it has saved before is parked `stuck`,
 * `task-diverged`, as far as that can be noticed; mended, it is resumed.
 */
export interface TaskCall<Input = Json> {
  readonly runId: string;
  readonly input: Input;
  /** Executions of it, from 1 on: after a crash, a failure or a long wait it is one more. */
  readonly attempt: number;
  /**
   * Aborted when it need not go on: the run was canceled, its time or that of the execution is up, this instance lost the run, or the
   * task was put to sleep. Hand it to what takes one. A canceled function has 10 s to come to its end; then it is left to
   * itself: what it still does is in no journal, and its run has ended.
   */
  readonly signal: AbortSignal;
  /**
   * Does the work, and saves what it gives. Again after that, the same comes back and nothing is done. A crash between the two has the work
   * done again, under the same `idempotencyKey`. What the work throws is thrown here: a `BusinessRefusal` is saved like a
   * result; another error ends the execution, whose next one does the work again, unless the function catches it and goes on: then it is
   * saved too (where one thing is done after the other). Errors: `payload-too-large` (1 MiB; 64 MiB for all of a run),
   * `input-invalid` (no JSON), `too-many-checkpoints` (10,000 in a run); these end the task.
   */
  checkpoint<Output>(name: string, work: (call: CheckpointCall) => Output | Promise<Output>): Promise<Saved<Output>>;
  /**
   * Waits for so long from the first time it is called on, or until that time, by the store's clock. A long wait (5 s) costs no memory: the function is
   * stopped here, never resolves, and is run again when it is due. What goes on beside it outside of checkpoints is cut off.
   */
  sleep(name: string, time: Duration | Date): Promise<void>;
  /** Waits for a signal, as `sleep` does; gives its payload, or undefined when it did not come in time. One that came early is kept. */
  waitFor(signal: string, options?: WaitForOptions): Promise<Json | undefined>;
  /**
   * Says how far it is, for the run's view: JSON of at most 16 KiB. Written with the next row of the journal, which it brings about itself at most once a
   * second, and less often the longer the task runs. Error: `payload-too-large`, `input-invalid`.
   */
  progress(value: unknown): void;
  /**
   * Whether to take the new way here: true for runs that have saved nothing after this place when they first come to it, false for those that have.
   * The answer stays the same for the run. See docs/guides/changing.md.
   */
  patch(id: string): boolean;
  /** `<run id>:task/<name>`, the same in every execution: for what is done in the checkpoint of that name. */
  idempotencyKey(name: string): string;
}

export interface CheckpointCall {
  /** The same whenever this checkpoint's work is done for this run. */
  readonly idempotencyKey: string;
  /** The task's. */
  readonly signal: AbortSignal;
}

export interface WaitForOptions {
  /** Under which it is saved. Default: the signal's; another one for each further wait for the same signal. */
  readonly name?: string;
  /** Default: none; the run's timeout bounds it. */
  readonly timeout?: Duration;
}
