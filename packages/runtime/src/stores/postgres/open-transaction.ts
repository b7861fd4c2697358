import type pg from "pg";
import { RuntimeError } from "../../errors.js";
import type { Connections, Queryable, TransactionOf } from "./connections.js";
import { fromDriver, isOfStatement } from "./driver-error.js";

export interface OpenTransaction {
  readonly client: pg.PoolClient;
  /** The same connection, for statements of the store. */
  readonly on: Queryable;
  /**
   * Its last statement, and the commit when that says so, else all is rolled back. A throw has rolled back too, or has left open
   * what became of it (`store-unavailable`). Errors: as `fromDriver`; after the end, `definition-invalid`.
   */
  end<T>(last: (on: Queryable) => Promise<T>, mayCommit: (result: T) => boolean): Promise<T>;
  /** Harmless after the end. */
  rollback(): Promise<void>;
}

/** A transaction of the caller's own length; a server that hears nothing for longer than a statement may take ends it. */
export async function openTransaction(connections: Connections, of: TransactionOf): Promise<OpenTransaction> {
  const { client, on, release } = await connections.take(of);
  let open = true;
  const close = (broken?: unknown): void => {
    open = false;
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
    rollback,
    async end(last, mayCommit) {
      if (!open)
        throw new RuntimeError("definition-invalid", "expected an open transaction, got a commit after its end");
      try {
        const result = await last(on);
        if (mayCommit(result)) {
          await client.query("commit");
          close();
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

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
