import { RuntimeError } from "../../errors.js";

/** Classes and codes (PostgreSQL, appendix A) that a later try may not meet again. */
const UNAVAILABLE = /^(08|53|57|58|40|55P03|25006|25P03|25P04)/;
/** The schema is not what this version expects, or this user may not use it. */
const INCOMPATIBLE = /^(42|3D000|3F000|28)/;

/**
 * What the driver threw, as the runtime's error: `store-unavailable` when the server does not answer, is stopping, out of
 * room or gave the statement up; `store-incompatible` for a schema, database or user that does not fit; else `internal` with
 * the server's code in `details.sqlState`.
 */
export function fromDriver(error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const code = sqlState(error);
  const text = error instanceof Error ? error.message : String(error);
  const details = code === null ? {} : { sqlState: code };
  // Without a code it comes from the connection: refused, reset, timed out.
  if (code === null || UNAVAILABLE.test(code)) {
    const message = `expected PostgreSQL to answer, got: ${text}; check that it runs, is reachable and has room`;
    return new RuntimeError("store-unavailable", message, details, { cause: error });
  }
  if (INCOMPATIBLE.test(code)) {
    const message = `expected a PostgreSQL database with this version's schema and a user who may use it, got: ${text} (${code})`;
    return new RuntimeError("store-incompatible", message, details, { cause: error });
  }
  return new RuntimeError("internal", `a statement on PostgreSQL failed: ${text} (${code})`, details, { cause: error });
}

/** Whether the connection may go on being used after this error. */
export function isOfStatement(error: unknown): boolean {
  const code = sqlState(error);
  return code !== null && !/^(08|57P|58|XX|25006|25P0[34])/.test(code);
}

/** Five characters; null when the error is not the server's. */
export function sqlState(error: unknown): string | null {
  const source = error instanceof RuntimeError ? error.cause : error;
  const code = typeof source === "object" && source !== null && "code" in source ? source.code : null;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
