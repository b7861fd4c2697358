import type { FailedItem } from "../../history.js";
import { isStale, lossesOf, type Seen, type SeenCall, type SeenRun } from "../../oracle/seen.js";
import { itemOf } from "../../participants/item-step.js";
import type { BatchShape } from "../task-shapes.js";

/** A call for one item. */
export interface ItemCall extends SeenCall {
  readonly item: string;
  readonly stage: string;
  /** Of which chunk the item is: counted from 0 in the order of the source. */
  readonly chunk: number;
}

export interface SeenBatch {
  readonly run: SeenRun;
  readonly shape: BatchShape;
  /** Keys of what it was given, in order. */
  readonly items: readonly string[];
  /** As listed in the end; null: nobody could tell. */
  readonly failed: ReadonlyMap<string, FailedItem> | null;
  readonly calls: readonly ItemCall[];
  /** Chunks are those of the source: none was made of failed items. */
  readonly isChunkedAsRead: boolean;
}

export interface BatchSources {
  readonly shapes: ReadonlyMap<string, BatchShape>;
  /** What the source holds for a run. */
  readonly itemsOf: (run: string) => readonly string[];
}

export function seeBatches(seen: Seen, { shapes, itemsOf }: BatchSources): SeenBatch[] {
  return [...seen.runs.values()].flatMap((run): SeenBatch[] => {
    const shape = shapes.get(run.definition ?? "");
    if (shape === undefined) return [];
    const from = seen.retried.get(run.id);
    const items = from === undefined ? itemsOf(run.id) : (seen.failedItems.get(from) ?? []).map(({ key }) => key);
    const places = new Map(items.map((key, index) => [key, Math.floor(index / shape.chunkSize)]));
    const calls = run.calls.flatMap((call): ItemCall[] => {
      const of = itemOf(call.event.step);
      return of === null ? [] : [{ ...call, ...of, chunk: places.get(of.item) ?? -1 }];
    });
    const failed = seen.failedItems.get(run.id);
    const isChunkedAsRead = from === undefined && !run.verbs.some(({ verb }) => verb === "retry");
    return [
      {
        run,
        shape,
        items,
        calls,
        isChunkedAsRead,
        failed: failed === undefined ? null : new Map(failed.map((item) => [item.key, item])),
      },
    ];
  });
}

/** How long a fault keeps its mark on an instance, ms: a lease, and what it takes to notice that it is lost. */
export const MARKED_MS = 4_500;

/** By an instance that owned what it called for, as far as its faults tell: up to that time, ms; default: when it called. */
export function isByOwner(seen: Seen, call: SeenCall, until = call.event.at): boolean {
  return !isStale(call) && lossesOf(seen, call.event.instance, call.event.at - MARKED_MS, until + 1).length === 0;
}
