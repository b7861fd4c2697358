import { RuntimeError } from "../errors.js";
import type { AppendResult } from "../store/run-store.js";

interface Request {
  readonly strategy: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Snapshots that were asked for, by a step or by a timer: all of them are answered by the next row. */
export class SnapshotRequests {
  #waiting: Request[] = [];
  #closed = false;

  /** Why the next row should bring a snapshot; null: nobody asks. */
  get strategy(): string | null {
    return this.#waiting[0]?.strategy ?? null;
  }

  /** Resolves when the snapshot is durable. Errors: `lease-lost`, `input-invalid` (the store refused its row). */
  add(strategy: string): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      if (this.#closed) return reject(leftBefore());
      this.#waiting.push({ strategy, resolve, reject });
    });
    // A step may ask for a snapshot and not wait for it: then nobody is there to hear that the run was lost.
    written.catch(() => {});
    return written;
  }

  /** For a step whose own transaction is open, and whose row the next one is. */
  refuse(): Promise<void> {
    const message =
      "expected a checkpoint before or after the step's transaction, got one within it, which no other row may interrupt";
    const refused = Promise.reject(new RuntimeError("input-invalid", message));
    refused.catch(() => {});
    return refused;
  }

  /** Those that ride in the row about to be sent, to be answered by what became of it. */
  take(): SentSnapshots {
    return new SentSnapshots(this.#waiting.splice(0));
  }

  /** The run left this process. */
  close(): void {
    this.#closed = true;
    for (const request of this.#waiting.splice(0)) request.reject(leftBefore());
  }
}

export class SentSnapshots {
  readonly #requests: readonly Request[];

  constructor(requests: readonly Request[]) {
    this.#requests = requests;
  }

  answered(result: AppendResult): void {
    for (const { resolve, reject } of this.#requests) {
      if (result.kind === "appended") resolve();
      else reject(result.kind === "rejected" ? refused(result.reason) : leftBefore());
    }
  }

  failed(error: unknown): void {
    for (const { reject } of this.#requests) reject(error);
  }
}

/** Of a row that brings no snapshot. */
export const NO_SNAPSHOTS = new SentSnapshots([]);

function leftBefore(): RuntimeError {
  return new RuntimeError(
    "lease-lost",
    "expected to own the run until its snapshot is written, got a run that left this instance",
  );
}

function refused(reason: string): RuntimeError {
  return new RuntimeError(
    "input-invalid",
    `expected a snapshot that the store takes, got one in a row it refused: ${reason}`,
  );
}
