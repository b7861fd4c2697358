import type { Logger } from "../log.js";
import type { Ports } from "../ports.js";
import type { SagaDefinition } from "../saga/definition.js";
import type { RunSchedules } from "../store/run-schedules.js";
import type { CreateRun } from "../store/run-store.js";

/** What the scheduler of an instance stands on. */
export interface SchedulerOptions {
  readonly store: RunSchedules;
  /** Of each name the one that new runs follow, with a schedule or without. */
  readonly definitions: readonly SagaDefinition[];
  readonly ports: Ports;
  readonly logger: Logger;
  /** Whether this instance may work on the store. */
  readonly isTrusted: () => boolean;
  /** A run as it is stored, of that key and id, for any instance to take. Errors: `input-invalid`, `payload-too-large`. */
  readonly newRun: (
    definition: SagaDefinition,
    input: unknown,
    key: string,
    id: string,
  ) => Promise<CreateRun & { readonly claim: null }>;
  readonly began: (run: CreateRun) => void;
  /** A run was asked to cancel. */
  readonly canceled: (run: string) => void;
}

/** Counts of this process since it started. */
export interface ScheduleCounts {
  /** Ticks whose runs began here. */
  readonly ticks: number;
  /** Ticks that this process saw pass because a run of an earlier one went on. */
  readonly skipped: number;
  /** Ticks that this process saw pass because it was too late for them, or because their runs could not begin. */
  readonly missed: number;
  /** How late the newest tick on time began here, ms; null: none has. */
  readonly latenessMs: number | null;
  readonly maxLatenessMs: number | null;
}
