import { RuntimeError } from "../errors.js";
import type { PostgresClient, PostgresPool } from "./postgres-client.js";

const LOCK_NOT_AVAILABLE = "55P03";
const IN_FAILED_TRANSACTION = "25P02";
const UNDEFINED_TABLE = "42P01";
const FORBIDDEN_BY_DATA = "23";

/** Lends a connection, and gives it back without an open transaction, or not at all. */
export async function withClient<Result>(
  pool: PostgresPool,
  body: (client: PostgresClient) => Promise<Result>,
): Promise<Result> {
  const client = await ask(() => pool.connect());
  let broken = false;
  // A server that dies, or ends the transaction, between two statements says so here; unheard it would end the process.
  const onError = (): void => {
    broken = true;
  };
  client.on("error", onError);
  try {
    return await body(client);
  } catch (error) {
    await client.query("rollback").catch(onError);
    throw error;
  } finally {
    client.removeListener("error", onError);
    client.release(broken);
  }
}

/** For the barrier's own statements: the driver's errors become the runtime's. */
export async function ask<Result>(statement: () => Promise<Result>): Promise<Result> {
  try {
    return await statement();
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    const code = codeOf(cause);
    if (code === IN_FAILED_TRANSACTION) {
      const message =
        "expected a transaction fit to commit, got one in which a statement had failed; let the handler throw what it catches";
      throw new RuntimeError("internal", message, {}, { cause });
    }
    const advice = code === UNDEFINED_TABLE ? "run migrate() of the barrier first" : "the same call may be tried again";
    const message = `expected the barrier's database to answer, got ${code === "" ? "no connection" : `error ${code}`}; ${advice}`;
    throw new RuntimeError("store-unavailable", message, { sqlstate: code }, { cause });
  }
}

export function isLockTimeout(error: unknown): boolean {
  return error instanceof RuntimeError && error.details.sqlstate === LOCK_NOT_AVAILABLE;
}

/** Throws what a deferred constraint says of the handler's effect as it is: it is no fault of the database. */
export async function commit(client: PostgresClient): Promise<void> {
  try {
    await client.query("commit");
  } catch (error) {
    if (codeOf(error).startsWith(FORBIDDEN_BY_DATA)) throw error;
    await ask(() => Promise.reject(error));
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "";
}
