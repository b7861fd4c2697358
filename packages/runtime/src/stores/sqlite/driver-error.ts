import { RuntimeError } from "../../errors.js";

/** Primary result codes of SQLite that a later try may not meet again, in words for people. */
const UNAVAILABLE: Readonly<Record<number, string>> = {
  3: "access is not permitted",
  5: "another process holds the lock",
  6: "a table is locked",
  7: "no memory is left",
  8: "it is read-only",
  9: "the call was interrupted",
  10: "reading or writing failed",
  13: "the disk is full",
  14: "it cannot be opened",
  15: "the locking protocol failed",
  22: "the file is too large for this system",
};

/** Codes that say the file is not what it should be. */
const INCOMPATIBLE: Readonly<Record<number, string>> = {
  11: "it is damaged",
  17: "its schema changed",
  24: "its format is unknown",
  26: "it is not an SQLite database",
};

/**
 * What a driver threw as the runtime's error, naming the file: `store-unavailable` for locks, I/O and space,
 * `store-incompatible` for a damaged or foreign file, else `internal` (a constraint, a fault in a statement) with SQLite's
 * result code in `details.sqlite`.
 */
export function fromDriver(error: unknown, file: string): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const code = resultCode(error);
  const primary = code & 0xff;
  const details = { file, sqlite: code };
  const text = error instanceof Error ? error.message : String(error);
  const unavailable = UNAVAILABLE[primary];
  if (unavailable) {
    const message = `expected the SQLite file ${file} to answer, got: ${unavailable} (${text}); check its disk, its permissions and who else uses it`;
    return new RuntimeError("store-unavailable", message, details, { cause: error });
  }
  const incompatible =
    INCOMPATIBLE[primary] ?? (/no such (table|column)/.test(text) ? "its schema differs" : undefined);
  if (incompatible) {
    const message = `expected ${file} to be a sound SQLite file of this runtime, got: ${incompatible} (${text}); restore it from a backup or name another file`;
    return new RuntimeError("store-incompatible", message, details, { cause: error });
  }
  return new RuntimeError("internal", `a statement on the SQLite file ${file} failed: ${text}`, details, {
    cause: error,
  });
}

/** SQLite's extended result code; 0 when there is none. node:sqlite: `errcode`, libsql: `rawCode`, or the message's end. */
function resultCode(error: unknown): number {
  const { errcode, rawCode, message } = error as { errcode?: number; rawCode?: number; message?: string };
  return errcode ?? rawCode ?? Number(/ConnectionFailed\(.*: (\d+)"?\)/.exec(message ?? "")?.[1] ?? 0);
}
