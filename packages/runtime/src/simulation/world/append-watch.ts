import type { Append, AppendResult, RunStore } from "../../store/run-store.js";
import type { MemoryWorld } from "../../stores/memory/world.js";
import { beginOn } from "./begin-on.js";
import type { Breaches } from "./breaches.js";

export interface AppendWatchOptions {
  readonly world: MemoryWorld;
  readonly breaches: Breaches;
  /** Called for an append that was acknowledged with `parked`. */
  readonly onParked: (append: Append) => void;
  /** Called for each append when it is sent for the first time. */
  readonly onSent: (append: Append) => void;
}

/**
 * Sits between a process and its wire: a row is sent when the row before it is durable and not earlier, and what was sent
 * and not answered is sent again as it was. A row that a transaction commits is sent once.
 */
export function watchAppends(store: RunStore, { world, breaches, onParked, onSent }: AppendWatchOptions): RunStore {
  /** Ids of the flush whose effect is unknown. */
  let unknown: string | null = null;
  const expectNext = ({ run, seq }: Append): void => {
    const durable = world.runs.get(run)?.journal.length ?? 0;
    breaches.expect(durable >= seq - 1, 3, () => `row ${seq} of run ${run} is sent and row ${seq - 1} is not durable`);
  };
  const acknowledged = (append: Append, result: AppendResult): void => {
    if (result.kind !== "appended") return;
    const { run, seq, appendId } = append;
    const row = world.runs.get(run)?.journal[seq - 1];
    breaches.expect(row?.appendId === appendId, 3, () => `row ${seq} of run ${run} is acknowledged and not durable`);
    if (result.parked) onParked(append);
  };
  return {
    ...store,
    append: async (appends) => {
      for (const append of appends) expectNext(append);
      const ids = appends.map((append) => append.appendId).join(" ");
      breaches.expect(unknown === null || unknown === ids, 4, () => `sent ${ids} while ${unknown} is not answered`);
      if (unknown === null) for (const append of appends) onSent(append);
      unknown = ids;
      const results = await store.append(appends);
      unknown = null;
      for (const [index, result] of results.entries()) {
        const append = appends[index];
        if (append !== undefined) acknowledged(append, result);
      }
      return results;
    },
    begin: async () => {
      const transaction = await beginOn(store);
      return {
        ...transaction,
        commit: async (append) => {
          expectNext(append);
          onSent(append);
          const result = await transaction.commit(append);
          acknowledged(append, result);
          return result;
        },
      };
    },
  };
}
