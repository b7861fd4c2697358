import type { Json } from "../json.js";
import type { JournalRecord } from "./records.js";
import type { RunState } from "./state.js";

/** A signal as it lies in the run's inbox. */
export interface ArrivedSignal {
  readonly id: string;
  readonly name: string;
  readonly payload: Json;
  readonly actor: string;
  /** Store's clock, ms since the epoch. */
  readonly at: number;
}

/** How many signals a run keeps that no step has taken yet, and how much JSON they may be together. */
export const MAX_KEPT_SIGNALS = 1_000;
const MAX_KEPT_BYTES = 1_048_576;

/** The record that keeps a signal, or the one that says why not. Pure; the caller folds it. */
export function recordSignal(state: RunState, { id, name, payload, actor, at }: ArrivedSignal): JournalRecord {
  const refusal = refusesSignal(state, payload);
  if (refusal !== null) return { kind: "signal-refused", id, name, actor, reason: refusal };
  return { kind: "signaled", id, name, payload, actor, arrivedAt: at };
}

/** Null when the run can keep one more, else a sentence on why not. */
export function refusesSignal(state: RunState, payload: Json): string | null {
  if (state.signals.length >= MAX_KEPT_SIGNALS)
    return `expected at most ${MAX_KEPT_SIGNALS} signals that no step has taken, got one more`;
  const kept = state.signals.reduce((sum, signal) => sum + signal.bytes, 0);
  const bytes = bytesOf(payload);
  if (kept + bytes > MAX_KEPT_BYTES)
    return `expected at most ${MAX_KEPT_BYTES} bytes of signals that no step has taken, got ${kept + bytes}`;
  return null;
}

export function bytesOf(payload: Json): number {
  return Buffer.byteLength(JSON.stringify(payload));
}

/** A step takes it: its payload. */
export function takeSignal(state: RunState, id: string): Json {
  const index = state.signals.findIndex((signal) => signal.id === id);
  const [signal] = index < 0 ? [] : state.signals.splice(index, 1);
  if (signal === undefined) throw new Error(`expected a signal ${JSON.stringify(id)} that no step has taken, got none`);
  return signal.payload;
}
