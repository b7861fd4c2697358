import { parseDurationMs } from "../duration.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { CheckpointCall, TaskCall } from "../saga/task-call.js";
import type { Attempt } from "./attempt.js";
import type { AttemptAbort } from "./attempt-abort.js";

export interface TaskCallParts {
  readonly runId: string;
  readonly input: Json;
  readonly attempt: Attempt;
  readonly abort: AttemptAbort;
  readonly checkpoint: (name: string, work: (call: CheckpointCall) => unknown) => Promise<Json>;
  /** `time`: ms, or until then. */
  readonly sleep: (name: string, time: number | Date) => Promise<void>;
  readonly waitFor: (name: string, signal: string, timeoutMs: number | null) => Promise<Json | undefined>;
  readonly patch: (id: string) => boolean;
  readonly progress: (value: unknown) => void;
}

const SIGNAL = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/** What a function is handed: its own words in the place of the execution's. */
export function taskCall(parts: TaskCallParts): TaskCall {
  const { runId, input, attempt, abort, patch, progress } = parts;
  return {
    ...{ runId, input, attempt: attempt.attempt, patch, progress },
    get signal() {
      return abort.signal;
    },
    // The types of what is saved are known to who calls: the journal gives back the JSON of it.
    checkpoint: parts.checkpoint as TaskCall["checkpoint"],
    sleep: (name, time) => parts.sleep(name, time instanceof Date ? checked(name, time) : msOf(time, name)),
    waitFor: (signal, { name = signal, timeout } = {}) => {
      if (!SIGNAL.test(signal)) {
        const message = `expected a signal's name of letters, digits, "_", "-" or ".", got ${JSON.stringify(signal)}`;
        throw new RuntimeError("definition-invalid", message);
      }
      return parts.waitFor(name, signal, timeout === undefined ? null : msOf(timeout, name));
    },
    idempotencyKey: (name) => taskKey(runId, attempt, name),
  };
}

/** The first round's key has no round in it. */
export function taskKey(run: string, { step, round }: Attempt, name: string): string {
  return round === 1 ? `${run}:${step}/${name}` : `${run}:${step}:r${round}/${name}`;
}

function msOf(time: Parameters<typeof parseDurationMs>[0], name: string): number {
  return parseDurationMs(time, `the time of "${name}"`);
}

function checked(name: string, time: Date): Date {
  if (!Number.isNaN(time.getTime())) return time;
  throw new RuntimeError("definition-invalid", `expected the time of "${name}" to be a valid date, got an invalid one`);
}
