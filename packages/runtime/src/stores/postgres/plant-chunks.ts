import { encodePlant } from "../../store/batch-codec.js";
import type { PlantChunks, PlantResult, TakenChunk } from "../../store/batch-store.js";
import { int4s, isUuid, texts } from "./binary-arrays.js";
import type { Connections } from "./connections.js";

export async function plant(connections: Connections, request: PlantChunks): Promise<PlantResult> {
  const { cursor, chunks } = encodePlant(request);
  const { run, fence, first, isEnd, total = null, take, worker } = request;
  if (!isUuid(run)) return { kind: "lost" };
  const [row] = await connections.writer.run("batch-plant", [
    ...[run, fence, first],
    texts(chunks.map(({ from }) => from)),
    texts(chunks.map(({ to }) => to)),
    int4s(chunks.map(({ size }) => size)),
    texts(chunks.map(({ items }) => items)),
    ...[cursor, isEnd, total, take, worker],
  ]);
  switch (row?.kind) {
    case "planted":
      return { kind: "planted", taken: takenOf(request, Number(row.taken), Number(row.pace)) };
    case "sent before":
      return { kind: "planted", taken: [] };
    case "stopped":
      return { kind: "stopped" };
    default:
      return { kind: "lost" };
  }
}

function takenOf({ run, first, chunks }: PlantChunks, count: number, paceMs: number): TakenChunk[] {
  return chunks.slice(0, count).map(({ from, to, size, items }, index) => ({
    ...{ run, n: first + index, fence: 1, from, to, size, items },
    ...{ crashes: 0, marked: null, paceMs },
  }));
}
