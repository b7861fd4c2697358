import type { ChunkRef, ChunkTransaction } from "../../store/batch-store.js";
import { checkOfChunk, settleOne } from "../../store/local-chunks.js";
import { sqliteBatchTables } from "./batch-tables.js";
import type { Database } from "./database.js";
import { TurnTransaction } from "./turn-transaction.js";

/** As a step's transaction: one turn of the event loop, from when its client is asked for. */
export function beginChunk(db: Database, chunk: ChunkRef, now: () => number): ChunkTransaction {
  const transaction = new TurnTransaction(db, "a chunk");
  return {
    get client() {
      return transaction.client;
    },
    async commit(settled) {
      try {
        transaction.check();
        checkOfChunk(chunk, settled);
        const at = now();
        const result = settleOne(sqliteBatchTables(transaction.client, at), chunk.run, settled, at);
        if (result === "settled") transaction.commit();
        return result;
      } finally {
        transaction.rollback();
      }
    },
    async rollback() {
      transaction.rollback();
    },
  };
}
