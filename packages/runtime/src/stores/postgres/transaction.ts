import { RuntimeError } from "../../errors.js";
import type { Append, AppendResult, StepTransaction } from "../../store/run-store.js";
import { appendLast } from "./append.js";
import type { Connections } from "./connections.js";
import { fromDriver, isOfStatement, sqlState } from "./driver-error.js";

const IN_FAILED_TRANSACTION = "25P02";

/**
 * A step's own transaction. The journal row is its last statement, so the key it holds is held for a moment only; a server
 * that hears nothing for longer than a statement may take ends it. A refused row takes the step's effect with it.
 */
export async function begin(connections: Connections): Promise<StepTransaction> {
  const { client, on, release } = await connections.take();
  let open = true;
  const end = (broken?: unknown): void => {
    open = false;
    release(broken === undefined || isOfStatement(broken) ? undefined : asError(broken));
  };
  const rollback = async (): Promise<void> => {
    if (!open) return;
    try {
      await client.query("rollback");
      end();
    } catch (error) {
      end(error);
    }
  };
  try {
    await client.query("begin");
  } catch (error) {
    end(asError(error));
    throw fromDriver(error);
  }
  return {
    client,
    rollback,
    async check() {
      try {
        await client.query("set constraints all immediate");
      } catch (error) {
        throw sqlState(error) === IN_FAILED_TRANSACTION ? swallowed(error) : error;
      }
    },
    async commit(append: Append): Promise<AppendResult> {
      try {
        const result = await appendLast(on, append);
        if (result?.kind !== "appended") {
          await rollback();
          return result ?? { kind: "lease-lost" };
        }
        await client.query("commit");
        end();
        return result;
      } catch (error) {
        if (isOfStatement(error)) await rollback();
        else if (open) end(asError(error));
        throw fromDriver(error);
      }
    },
  };
}

function swallowed(cause: unknown): RuntimeError {
  const message =
    "expected a transaction fit to commit, got one in which a statement had failed; let the callback throw what it catches";
  return new RuntimeError("internal", message, {}, { cause });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
