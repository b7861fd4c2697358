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
  /** Of runs, each as owned once, whose last row may be there or not: the ids of the whole flush that it went with. */
  const unknown = new Map<string, string>();
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
      for (const append of appends) {
        const before = unknown.get(ownedRun(append));
        const said = () => `sent ${ids} while ${before} is not answered`;
        breaches.expect(before === undefined || before === ids, 4, said);
        if (before === undefined) onSent(append);
        unknown.set(ownedRun(append), ids);
      }
      const results = await store.append(appends);
      for (const append of appends) unknown.delete(ownedRun(append));
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

/** Who lost a run and got it again is another owner: the fence keeps the two apart, wherever their rows are. */
function ownedRun({ run, fence }: Append): string {
  return `${run}/${fence}`;
}
