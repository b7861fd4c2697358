import type { Json } from "../../json.js";
import { type EncodedFailure, encodeAdvance, encodeSettled } from "../../store/batch-codec.js";
import type {
  AdvanceChunks,
  AdvanceResult,
  BatchStatus,
  KeyedItem,
  SettledChunk,
  TakenChunk,
} from "../../store/batch-store.js";
import { int4s, isUuid, texts } from "./binary-arrays.js";
import type { Queryable, Row } from "./connections.js";

export async function advance(on: Queryable, request: AdvanceChunks): Promise<AdvanceResult> {
  const failures = encodeAdvance(request);
  const { run, settled } = request;
  const rows = isUuid(run) ? await on.run("batch-advance", columnsOf(request, failures)) : [];
  const [first] = rows;
  if (first === undefined) return { results: settled.map(() => "lost"), taken: [], status: "ended", waitMs: null };
  const counted = new Set(first.settled as number[]);
  return {
    results: settled.map(({ n }) => (counted.has(n) ? "settled" : "lost")),
    taken: first.n === null ? [] : rows.map((row) => takenChunk(run, row)),
    status: first.status as BatchStatus,
    waitMs: first.wait === null ? null : Number(first.wait),
  };
}

/** One chunk, as the last statement of a transaction with its effect. */
export async function settleOne(on: Queryable, run: string, chunk: SettledChunk): Promise<"settled" | "lost"> {
  const settled = [chunk];
  const failures = encodeSettled(settled);
  if (!isUuid(run)) return "lost";
  const columns = columnsOf({ run, worker: "", settled, take: 0, holding: [] }, failures);
  const [row] = await on.run("batch-advance", columns);
  return row !== undefined && (row.settled as number[]).length > 0 ? "settled" : "lost";
}

function columnsOf(
  { run, worker, settled, take, holding }: AdvanceChunks,
  failures: readonly EncodedFailure[],
): readonly unknown[] {
  return [
    run,
    worker,
    int4s(settled.map(({ n }) => n)),
    int4s(settled.map(({ fence }) => fence)),
    int4s(settled.map(({ done }) => done)),
    int4s(settled.map(({ skipped }) => skipped)),
    int4s(settled.map(({ failed }) => failed.length)),
    int4s(failures.map(({ n }) => n)),
    texts(failures.map(({ key }) => key)),
    texts(failures.map(({ item }) => item)),
    int4s(failures.map(({ attempts }) => attempts)),
    texts(failures.map(({ error }) => error)),
    take,
    int4s(holding),
  ];
}

function takenChunk(run: string, row: Row): TakenChunk {
  const { marked_key: key, items } = row;
  return {
    run,
    n: row.n as number,
    fence: row.fence as number,
    size: row.size as number,
    from: JSON.parse(row.from as string) as Json,
    to: JSON.parse(row.to as string) as Json,
    items: items === null ? null : (JSON.parse(items as string) as KeyedItem[]),
    crashes: row.crashes as number,
    marked: key === null ? null : { key: key as string, crashes: row.marked_crashes as number },
    paceMs: row.pace as number,
  };
}
