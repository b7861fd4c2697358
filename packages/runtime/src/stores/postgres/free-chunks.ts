import { uuids } from "./binary-arrays.js";
import type { Connections } from "./connections.js";

/** What the dead own of batches is free for others. */
export async function freeChunks(connections: Connections): Promise<void> {
  const found = await connections.writer.run("batch-of-dead", []);
  if (found.length === 0) return;
  const runs = uuids(found.map(({ run }) => String(run)));
  await connections.transaction(async (on) => {
    await on.run("batch-lock", [runs]);
    await on.run("batch-free", [runs]);
  });
}
