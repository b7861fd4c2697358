import type { CancelTimer, Clock } from "../ports.js";

/** How long a function that does several things at once has to be quiet before it is put to sleep: what it does beside is not seen. */
const QUIET_MS = 1_000;

/** A wait for a signal. */
export interface PendingWait {
  readonly name: string;
  readonly isOver: () => boolean;
}

export interface TaskPauseOptions {
  readonly clock: Clock;
  /** The store's clock, as far as it can be told from here. */
  readonly storeNow: () => number;
  /** What waits for longer than this need not be in memory. */
  readonly parkAfterMs: number;
  readonly isSequential: () => boolean;
  /** Nothing but waiting is left to do, until this time (null: none) or the end of one of these waits. */
  readonly suspend: (until: number | null, awaits: readonly string[]) => void;
}

interface Held {
  /** By the store's clock. */
  readonly dueAt: number | null;
  readonly wait: PendingWait | null;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly cancelTimer: CancelTimer;
}

/** What a function waits for in one execution, and whether there is anything else that keeps it here. */
export class TaskPause {
  readonly #options: TaskPauseOptions;
  readonly #held = new Map<string, Held>();
  /** Pieces of work, and rows on their way. */
  #working = 0;
  #yields = false;
  #isClosed = false;
  #cancelQuiet: CancelTimer | null = null;

  constructor(options: TaskPauseOptions) {
    this.#options = options;
  }

  /** Something is under way until the function given back is called. */
  enter(): () => void {
    this.#working += 1;
    return () => {
      this.#working -= 1;
    };
  }

  /** A place where the function can be stopped and go on later: it is, when it was asked to make way. */
  here(name: string): Promise<void> | undefined {
    return this.#yields ? this.#hold(name, this.#options.storeNow(), null) : undefined;
  }

  until(name: string, dueAt: number): Promise<void> | undefined {
    return dueAt <= this.#options.storeNow() ? undefined : this.#hold(name, dueAt, null);
  }

  /** `dueAt`: when it is over without one, which the run's state says then. */
  forSignal(dueAt: number | null, wait: PendingWait): Promise<void> {
    return this.#hold(wait.name, dueAt, wait);
  }

  /** The function should stop at the next place where it can go on later. */
  yield(): void {
    this.#yields = true;
    this.rest();
  }

  /** The run's state has something new. */
  told(): void {
    for (const [name, { wait, resolve }] of this.#held) {
      if (wait?.isOver() !== true) continue;
      this.#held.delete(name);
      resolve();
    }
  }

  /** The function asks for something. */
  stir(): void {
    this.#cancelQuiet?.();
    this.#cancelQuiet = null;
  }

  /** Perhaps nothing but waiting is left. */
  rest(): void {
    this.stir();
    if (!this.#mayPark()) return;
    if (this.#options.isSequential()) return this.#park();
    this.#cancelQuiet = this.#options.clock.after(QUIET_MS, () => {
      if (this.#mayPark()) this.#park();
    });
  }

  stop(error: unknown): void {
    for (const { reject, cancelTimer } of this.#held.values()) {
      cancelTimer();
      reject(error);
    }
    this.#held.clear();
  }

  close(): void {
    this.#isClosed = true;
    this.stir();
    for (const { cancelTimer } of this.#held.values()) cancelTimer();
    this.#held.clear();
  }

  #hold(name: string, dueAt: number | null, wait: PendingWait | null): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return;
      const timed = dueAt !== null && wait === null;
      const cancelTimer = timed && !this.#yields ? this.#wakeAt(name, dueAt, resolve) : NO_TIMER;
      this.#held.set(name, { dueAt, wait, resolve, reject, cancelTimer });
      this.rest();
    });
  }

  #wakeAt(name: string, dueAt: number, resolve: () => void): CancelTimer {
    const { clock, storeNow } = this.#options;
    return clock.after(Math.max(0, dueAt - storeNow()), () => {
      this.#held.delete(name);
      resolve();
    });
  }

  #mayPark(): boolean {
    if (this.#isClosed || this.#working > 0 || this.#held.size === 0) return false;
    const { storeNow, parkAfterMs } = this.#options;
    return this.#yields || this.#earliest() - storeNow() > parkAfterMs;
  }

  #earliest(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#held.values()) earliest = Math.min(earliest, dueAt ?? earliest);
    return earliest;
  }

  #park(): void {
    const earliest = this.#earliest();
    const awaits = [...this.#held.values()].flatMap(({ wait }) => wait?.name ?? []);
    this.#options.suspend(Number.isFinite(earliest) ? earliest : null, awaits);
  }
}

const NO_TIMER: CancelTimer = () => {};
