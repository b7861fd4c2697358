import type { SagaHealth } from "../saga/manager.js";
import type { DefinitionRef, RunStore } from "../store/run-store.js";
import { strandedDetail } from "./stranded-detail.js";

export interface Vitals {
  readonly store: Pick<RunStore, "ping" | "stranded">;
  /** Definitions that are registered here. */
  readonly known: readonly DefinitionRef[];
  readonly worker: SagaHealth["worker"];
  /** Why the store takes nothing; null: it does. */
  readonly outage: string | null;
  /** Why events of choreographed sagas do not move; null: they do. */
  readonly eventOutage: string | null;
}

export async function healthOf({ store, known, worker, outage, eventOutage }: Vitals): Promise<SagaHealth> {
  try {
    await store.ping();
    // One that answers and has no room, for example.
    if (outage !== null)
      return { ok: false, worker, store: "down", detail: `runs wait, nothing is written: ${outage}` };
    // Runs go on where they are, and no further.
    const detail = eventOutage === null ? await strandedDetail(store, known) : `events wait: ${eventOutage}`;
    return { ok: worker !== "stopped" && eventOutage === null, worker, store: "up", detail };
  } catch (error) {
    return { ok: false, worker, store: "down", detail: error instanceof Error ? error.message : String(error) };
  }
}
