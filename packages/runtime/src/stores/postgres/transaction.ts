import type { EventMessage } from "../../broker/event-message.js";
import type { Append, StepTransaction } from "../../store/run-store.js";
import { appendLast } from "./append.js";
import type { Connections } from "./connections.js";
import { sqlState } from "./driver-error.js";
import { failedBefore, openTransaction } from "./open-transaction.js";

const IN_FAILED_TRANSACTION = "25P02";

/**
 * A step's own transaction. The journal row is its last statement, so the key it holds is held for a moment only. A refused row takes
 * the step's effect with it. `onPut`: its events are committed.
 */
export async function begin(
  connections: Connections,
  onPut: (events: readonly EventMessage[]) => void,
): Promise<StepTransaction> {
  const { client, put, end, rollback } = await openTransaction(connections, "step");
  return {
    client,
    rollback,
    async check() {
      try {
        await client.query("set constraints all immediate");
      } catch (error) {
        throw sqlState(error) === IN_FAILED_TRANSACTION ? failedBefore(error) : error;
      }
    },
    async commit(append: Append) {
      const result = await end(
        (on) => appendLast(on, append),
        (written) => written?.kind === "appended",
      );
      if (result?.kind === "appended") onPut([...put, ...(append.events ?? [])]);
      return result ?? { kind: "lease-lost" };
    },
  };
}
