import type { RunStatus } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import type { CreateResult, CreateRun, RunRow } from "../store/run-store.js";
import type { StartOptions } from "./manager.js";

/** Whether the key had a run before, and what that means to who starts it again. */

export function isReplay(result: CreateResult & { readonly run: RunRow }, run: CreateRun): boolean {
  return result.kind === "existing" && result.run.id !== run.id;
}

/** Whether the caller takes the run that the key has. Errors: `run-exists`, `idempotency-key-reused`. */
export function checkReplay(existing: RunRow, run: CreateRun, { ifExists }: StartOptions): void {
  const key = JSON.stringify(run.key);
  if (ifExists === "reject") {
    const message = `expected idempotency key ${key} to be new, got one that run ${existing.id} has; attach to that one, or use another key`;
    throw new RuntimeError("run-exists", message, { run: existing.id, status: existing.status });
  }
  if (existing.inputHash === run.inputHash) return;
  const message = `expected the input that idempotency key ${key} was first used with, got another one; use a new key for a new run`;
  throw new RuntimeError("idempotency-key-reused", message, { run: existing.id });
}

export function startedStatus(result: CreateResult & { readonly run: RunRow }): RunStatus {
  return result.kind === "created" && result.row !== null ? "running" : result.run.status;
}
