import type { EventMessage } from "../../broker/event-message.js";
import type { ChunkRef, ChunkTransaction } from "../../store/batch-store.js";
import { checkOfChunk } from "../../store/local-chunks.js";
import { settleOne } from "./advance-chunks.js";
import type { Connections } from "./connections.js";
import { openTransaction } from "./open-transaction.js";

/**
 * The settling is the last statement, so that the batch's row, for which others wait, is locked for a moment only. A chunk that is lost takes
 * the effect with it. `onPut`: its events are committed.
 */
export async function beginChunk(
  connections: Connections,
  chunk: ChunkRef,
  onPut: (events: readonly EventMessage[]) => void,
): Promise<ChunkTransaction> {
  const { client, put, end, rollback } = await openTransaction(connections, "step");
  return {
    client,
    rollback,
    async commit(settled) {
      try {
        checkOfChunk(chunk, settled);
        const result = await end(
          (on) => settleOne(on, chunk.run, settled),
          (written) => written === "settled",
        );
        if (result === "settled") onPut(put);
        return result;
      } finally {
        await rollback();
      }
    },
  };
}
