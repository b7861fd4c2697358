/** What PostgreSQL refuses with, and what the way to it does. */
import type { Constraint } from "../constraint.js";

const UNIQUE_VIOLATION = "23505";
/** The second one is what PostgreSQL 18 says of `ON DELETE RESTRICT`. */
const REFERENCE_VIOLATIONS = ["23503", "23001"];

/** Null when the error is something else. */
export function constraintOf(error: unknown): Constraint | null {
  const { code, constraint, detail } = error as { code?: unknown; constraint?: unknown; detail?: unknown };
  if (REFERENCE_VIOLATIONS.includes(String(code))) return { kind: "reference" };
  if (code !== UNIQUE_VIOLATION) return null;
  // `Key (id)=(...) already exists.`, in the server's language.
  const columns = /\(([^()]+)\)=\(/.exec(String(detail))?.[1] ?? "";
  const index = typeof constraint === "string" ? constraint : null;
  return { kind: "unique", index, columns: columns.split(", ") };
}

/** Classes and codes of the server that a later try may not meet. */
const UNAVAILABLE = [
  "08", // the connection
  "53", // out of connections, memory, disk
  "57", // shutting down, starting up, canceled
  "58", // I/O
  "25006", // read-only: a standby, or a primary that is one no longer
  "40", // a deadlock, or a conflict of transactions
  "55P03", // a lock waited for too long
];

/** Of the operating system, before any server has said a word. */
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT", // the socket of a server that is not running
]);

/** The driver gives these no code. */
const WITHOUT_CODE = [
  "Connection terminated",
  "timeout expired",
  "timeout exceeded when trying to connect",
  "Query read timeout",
  "Client has encountered a connection error",
  "Client was closed",
];

/** True when the database could not be used just now, whatever was asked of it. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = String((error as { code?: unknown }).code ?? "");
  if (code === "") return WITHOUT_CODE.some((start) => error.message.startsWith(start));
  return UNREACHABLE.has(code) || (/^[0-9A-Z]{5}$/.test(code) && UNAVAILABLE.some((start) => code.startsWith(start)));
}
