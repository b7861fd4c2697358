import type { ChunkRef, ChunkTransaction } from "../../store/batch-store.js";
import { checkOfChunk, settleOne } from "../../store/local-chunks.js";
import { memoryBatchTables } from "./batch-tables.js";
import { put } from "./outbox.js";
import { stageWrites } from "./transaction.js";
import type { MemoryWorld } from "./world.js";

export function beginChunk(world: MemoryWorld, chunk: ChunkRef, clock: () => number): ChunkTransaction {
  const staged = stageWrites(world);
  let open = true;
  return {
    client: staged.client,
    async commit(settled) {
      const isOpen = open;
      open = false;
      checkOfChunk(chunk, settled);
      const now = clock();
      const result = isOpen ? settleOne(memoryBatchTables(world, now), chunk.run, settled, now) : "lost";
      if (result === "settled") {
        staged.apply();
        put(world.events, staged.events, now);
      }
      return result;
    },
    async rollback() {
      open = false;
    },
  };
}
