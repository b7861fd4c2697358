import type { CreateResult, CreateRun, RunStore } from "../../store/run-store.js";
import { withClaimedRecords } from "./claimed-records.js";
import type { Planted } from "./planted.js";

/** Bugs of starting, operating, retrying and forgetting runs. */
export const plantedLifecycleBugs: Readonly<Record<string, () => Planted>> = {
  "what was undone runs again under its old key": () => ({
    participant: (participant) => ({
      ...participant,
      perform: (target, call) =>
        participant.perform(target, { ...call, idempotencyKey: call.idempotencyKey.replace(/:r\d+$/, "") }),
    }),
  }),
  "a takeover forgets that the run is paused": () => ({
    store: (store) => withClaimedRecords(store, (records) => records.filter(({ kind }) => kind !== "paused")),
  }),
  "a takeover does not hear of the crash": () => ({
    store: (store) =>
      withClaimedRecords(store, (records) =>
        records.map((record) => {
          if (record.kind !== "claimed") return record;
          const { crashed: _, ...claimed } = record;
          return claimed;
        }),
      ),
  }),
  "crashes count though the run was not isolated": () => ({
    store: (store) =>
      withClaimedRecords(store, (records) =>
        records.flatMap((record) =>
          record.kind === "claimed" && record.crashed === true
            ? [{ kind: "isolated", alone: true } as const, record]
            : [record],
        ),
      ),
  }),
  "a request sent again is another request": () => ({
    server: (store) => {
      let sent = 0;
      return {
        ...store,
        signal: (signals) =>
          store.signal(
            signals.map((signal) => {
              sent += 1;
              return signal.kind === "verb" ? { ...signal, id: `${signal.id}:${sent}` } : signal;
            }),
          ),
      };
    },
  }),
  "everybody who wants a restart gets one": () => ({
    server: (store) => ({ ...store, create: async (runs) => Promise.all(runs.map((run) => startAnyway(store, run))) }),
  }),
  "nobody looks at the time by which a run is to begin": () => ({
    definition: ({ startTimeoutMs: _, ...definition }) => definition,
  }),
  "what must not be retried is": () => ({ definition: ({ retry: _, ...definition }) => definition }),
  "runs are deleted before their time": () => ({
    server: (store) => ({ ...store, prune: (endedBefore, limit) => store.prune(endedBefore + 100_000, limit) }),
  }),
  "nothing is ever deleted": () => ({ server: (store) => ({ ...store, prune: async () => 0 }) }),
};

async function startAnyway(store: RunStore, run: CreateRun): Promise<CreateResult> {
  const [result] = await store.create([run]);
  if (result?.kind === "existing" && run.restart === true && result.run.id !== run.id) {
    const [another] = await store.create([{ ...run, key: null, restart: false, restartedFrom: result.run.id }]);
    if (another !== undefined) return another;
  }
  return result ?? { kind: "rejected", reason: "simulated: no answer" };
}
