import type pg from "pg";
import type { EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import type { Connections, Queryable, TransactionOf } from "./connections.js";
import { fromDriver, isOfStatement } from "./driver-error.js";
import { keepPuts } from "./own-puts.js";

export interface OpenTransaction {
  readonly client: pg.PoolClient;
  /** The same connection, for statements of the store. */
  readonly on: Queryable;
  /** Events that were put by the client so far. */
  readonly put: readonly EventMessage[];
  /**
   * Its last statement, and the commit when that says so, else all is rolled back. A throw has rolled back too, or has left open
   * what became of it (`store-unavailable`). Errors: as `fromDriver`; `internal` when a statement had failed and nobody said so; after the
   * end, `definition-invalid`.
   */
  end<T>(last: (on: Queryable) => Promise<T>, mayCommit: (result: T) => boolean): Promise<T>;
  /** Harmless after the end. */
  rollback(): Promise<void>;
}

/** A transaction of the caller's own length; a server that hears nothing for longer than a statement may take ends it. */
export async function openTransaction(connections: Connections, of: TransactionOf): Promise<OpenTransaction> {
  const { client, on, release } = await connections.take(of);
  const { put, forget } = keepPuts(client);
  let open = true;
  const close = (broken?: unknown): void => {
    open = false;
    forget();
    release(broken === undefined || isOfStatement(broken) ? undefined : asError(broken));
  };
  const rollback = async (): Promise<void> => {
    if (!open) return;
    try {
      await client.query("rollback");
      close();
    } catch (error) {
      close(error);
    }
  };
  try {
    await client.query("begin");
  } catch (error) {
    close(asError(error));
    throw fromDriver(error);
  }
  return {
    client,
    on,
    put,
    rollback,
    async end(last, mayCommit) {
      if (!open)
        throw new RuntimeError("definition-invalid", "expected an open transaction, got a commit after its end");
      try {
        const result = await last(on);
        if (mayCommit(result)) {
          const { command } = await client.query("commit");
          close();
          if (command !== "COMMIT") throw failedBefore();
        } else await rollback();
        return result;
      } catch (error) {
        if (isOfStatement(error)) await rollback();
        else if (open) close(asError(error));
        throw fromDriver(error);
      }
    },
  };
}

/** The server answers the commit of a transaction in which a statement failed with a rollback, and no error. */
export function failedBefore(cause?: unknown): RuntimeError {
  const message =
    "expected a transaction fit to commit, got one in which a statement had failed; let the callback throw what it catches";
  return new RuntimeError("internal", message, {}, cause === undefined ? {} : { cause });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
