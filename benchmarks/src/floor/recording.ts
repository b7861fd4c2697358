import { readFileSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";

/**
 * The statements of a run, to be sent again by a bare client. A recording has phases: what opens the store, then by turns a measurement
 * and what came after it. Nothing is in flight from one phase to the next but what happens to be, such as the renewal of a lease.
 */
export interface Recording {
  readonly connections: readonly RecordedConnection[];
  /** Durable acts of each phase; 0 in those between measurements. */
  readonly steps: readonly number[];
}

/** What was sent over one connection, in order. */
export interface RecordedConnection {
  /** The session's settings, as PostgreSQL's `options` of a connection; they decide how statements are planned. */
  readonly options: string;
  readonly statements: readonly RecordedStatement[];
}

export interface RecordedStatement {
  /** Of a prepared statement; empty for one that is not. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
  readonly phase: number;
  /** Answers that each connection, in their order, had had when it was sent: what it may build upon. */
  readonly after: readonly number[];
  /** Rows that the answer had or changed; null when it was an error or did not come. */
  readonly rows: number | null;
}

/** Kept in V8's format, because parameters are more than JSON: binary arrays. */
export function writeRecording(file: string, recording: Recording): void {
  writeFileSync(file, serialize(recording));
}

export function readRecording(file: string): Recording {
  const recording: unknown = deserialize(readFileSync(file));
  if (!isRecording(recording)) throw new Error(`expected a recording of statements in ${file}`);
  return recording;
}

function isRecording(value: unknown): value is Recording {
  return typeof value === "object" && value !== null && "connections" in value && "steps" in value;
}
