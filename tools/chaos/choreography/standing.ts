import type { RunRow, RunStatus, RunStore } from "@clean-arch/runtime";
import type { Nats } from "@clean-arch/test-servers";
import type { Instance } from "../instance.js";
import { groupLag } from "./jetstream-api.js";
import type { Standing } from "./oracle/standing.js";

const OPEN = ["pending", "running", "waiting", "compensating", "stuck", "paused"] as const;
const READY_WITHIN_MS = 3_000;

export interface Asked {
  readonly store: RunStore;
  readonly nats: Nats;
  readonly instances: readonly Instance[];
  readonly stream: string;
  readonly group: string;
}

/** Asked of the store, of NATS and of the instances themselves. */
export async function howThingsStand({ store, nats, instances, stream, group }: Asked): Promise<Standing> {
  const groups = (await store.events?.groups()) ?? [];
  const parked = (await store.events?.parked({ limit: 10 }))?.items ?? [];
  const ready = await Promise.all(instances.map(({ url }) => isReady(url)));
  return {
    open: await allRuns(store, OPEN),
    relayLag: groups.reduce((sum, { waiting }) => sum + waiting, 0),
    groupLag: await groupLag(nats.port, stream, group),
    parked: parked.map(({ event }) => event.id),
    unready: instances.filter((_, index) => !ready[index]).map(({ name }) => name),
  };
}

/** Default: of every status. */
export async function allRuns(store: RunStore, status?: readonly RunStatus[]): Promise<RunRow[]> {
  const runs: RunRow[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await store.list({
      ...{ limit: 200, ...(status !== undefined && { status }), ...(cursor !== undefined && { cursor }) },
    });
    runs.push(...page.items);
    cursor = page.nextCursor;
  }
  return runs;
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(READY_WITHIN_MS) }).then(
    (response) => response.ok,
    () => false,
  );
}
