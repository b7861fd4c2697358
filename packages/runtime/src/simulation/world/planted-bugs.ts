import { RuntimeError } from "../../errors.js";
import type { Participant } from "../../participants/participant.js";
import type { StepCall } from "../../saga/definition.js";
import type { Append, RunStore } from "../../store/run-store.js";
import { withClaimedRecords } from "./claimed-records.js";
import { mapBugs } from "./map-bugs.js";
import type { Planted } from "./planted.js";
import { plantedLifecycleBugs } from "./planted-lifecycle-bugs.js";
import { transactionBugs } from "./transaction-bugs.js";

/** Bugs that a runtime, or a store, could have: the simulation has to find each of them. By what is wrong. */
export const plantedBugs: Readonly<Record<string, () => Planted>> = {
  "the store ignores the fence": () => ({
    server: (store) => ({
      ...store,
      append: (appends) => Promise.all(appends.map((append) => appendAnyway(store, append))),
    }),
  }),
  "a takeover keeps the fence": () => ({
    server: (store) => ({
      ...store,
      claim: async (request) =>
        (await store.claim(request)).map((claimed) => ({
          ...claimed,
          run: { ...claimed.run, fence: Math.max(1, claimed.run.fence - 1) },
        })),
    }),
  }),
  "an append is acknowledged before it is durable": () => ({
    store: (store) => ({
      ...store,
      append: async (appends) => {
        store.append(appends).catch(() => {});
        return appends.map(() => ({ kind: "appended", at: 0, parked: false }) as const);
      },
    }),
  }),
  "a row whose reply was lost is sent under a new id": () => ({
    store: (store) => {
      let sent = 0;
      return {
        ...store,
        append: (appends) => {
          sent += 1;
          return store.append(appends.map((append) => ({ ...append, appendId: `${append.appendId} ${sent}` })));
        },
      };
    },
  }),
  "a lost reply is resolved by reading": () => ({
    // What is not there yet may still come: the row is taken for one that was never written, and another is written.
    store: (store) => ({
      ...store,
      append: async (appends) => {
        try {
          return await store.append(appends);
        } catch {
          const rows = await Promise.all(appends.map(({ run, seq }) => store.journal(run, seq - 1, 1)));
          const there = appends.every(({ appendId }, index) => rows[index]?.[0]?.appendId === appendId);
          const again = (append: Append): Append =>
            there ? append : { ...append, appendId: `${append.appendId} again` };
          return store.append(appends.map(again));
        }
      },
    }),
  }),
  "a lease is trusted after it expired": () => ({
    store: (store) => ({ ...store, renew: (request) => store.renew({ ...request, leaseMs: request.leaseMs / 5 }) }),
  }),
  "a run found again goes on as if nothing had happened": () => ({
    store: (store) => ({
      ...store,
      append: (appends) =>
        store.append(
          appends.map((append) => ({ ...append, records: append.records.filter(({ kind }) => kind !== "claimed") })),
        ),
    }),
  }),
  "a retry has a key of its own": () => ({
    participant: (participant) =>
      withForwardCall(participant, (call) => ({
        ...call,
        idempotencyKey: `${call.idempotencyKey}:${call.attempt}`,
      })),
  }),
  "a step is sent twice": () => ({
    participant: (participant) => ({
      ...participant,
      perform: (target, call) => {
        void participant.perform(target, call);
        return participant.perform(target, call);
      },
    }),
  }),
  "messages are not consumed": () => ({
    store: (store) => ({
      ...store,
      append: (appends) => store.append(appends.map(({ consumed: _, ...append }) => append)),
    }),
  }),
  "snapshots are not written": () => ({
    store: (store) => ({
      ...store,
      append: (appends) => store.append(appends.map(({ checkpoint: _, ...append }) => append)),
    }),
  }),
  "the same key starts two runs": () => ({
    server: (store) => ({ ...store, create: (runs) => store.create(runs.map((run) => ({ ...run, key: null }))) }),
  }),
  "the hot copy of a context is an empty one": () => ({
    contexts: (contexts) =>
      Object.create(contexts, {
        load: {
          value: async (run: string, owner: string) => {
            const hot = await contexts.load(run, owner);
            return hot?.saved ? { ...hot, saved: { ...hot.saved, context: {} } } : hot;
          },
        },
      }),
  }),
  "a store that failed once is not asked for runs again": () => ({
    store: (store) => {
      let failed = false;
      return {
        ...store,
        claim: async (request) => {
          if (failed) return [];
          return store.claim(request).catch((error: unknown) => {
            failed = true;
            throw error;
          });
        },
      };
    },
  }),
  "a retry comes before its time": () => ({
    store: (store) => ({
      ...store,
      append: async (appends) =>
        (await store.append(appends)).map((result) => ("at" in result ? { ...result, at: result.at - 400 } : result)),
    }),
  }),
  "a takeover forgets how long a sleep is": () => ({
    server: (store) =>
      withClaimedRecords(store, (records) =>
        records.map((record) => (record.kind === "suspended" ? { ...record, afterMs: 0, until: 0 } : record)),
      ),
  }),
  "a takeover forgets what expressions gave": () => ({
    server: (store) =>
      withClaimedRecords(store, (records) => records.filter(({ kind }) => kind !== "skipped" && kind !== "evaluated")),
  }),
  "each attempt computes its input anew": () => ({
    participant: (participant) => {
      let computed = 0;
      return withForwardCall(participant, (call) => {
        computed += 1;
        return call.isMapped ? { ...call, input: { drawn: computed } } : call;
      });
    },
  }),
  "a signal is dropped when it comes early": () => ({
    store: (store) => ({
      ...store,
      append: (appends) =>
        store.append(
          appends.map((append) => {
            const taken = append.records.some(({ kind }) => kind === "received");
            return taken ? append : { ...append, records: append.records.filter(({ kind }) => kind !== "signaled") };
          }),
        ),
    }),
  }),
  "a signal sent twice counts twice": () => ({
    server: (store) => {
      let sent = 0;
      return {
        ...store,
        signal: (signals) =>
          store.signal(
            signals.map((signal) => {
              sent += 1;
              return signal.kind === "signal" ? { ...signal, id: `${sent}:${signal.id}` } : signal;
            }),
          ),
      };
    },
  }),
  ...transactionBugs,
  ...mapBugs,
  "a child is created under another id at each attempt": () => ({
    server: (store) => {
      let created = 0;
      return {
        ...store,
        create: (runs) =>
          store.create(
            runs.map((run) => {
              created += 1;
              return run.parentId === null ? run : { ...run, id: `${run.id.slice(0, -4)}${1_000 + (created % 9_000)}` };
            }),
          ),
      };
    },
  }),
  "the end of a child is not told": () => ({
    store: (store) => ({
      ...store,
      append: (appends) => store.append(appends.map(({ signals: _, ...append }) => append)),
    }),
  }),
  "a child is said to have completed when it is created": () => ({
    server: (store) => ({
      ...store,
      create: async (runs) => {
        const results = await store.create(runs);
        for (const { id, parentId, restartedFrom, definition } of runs) {
          if (parentId === null || restartedFrom !== null) continue;
          const payload = { run: id, status: "completed", output: null, error: null };
          await store.signal([{ run: parentId, id: `end:${id}`, kind: "child", name: definition, payload, actor: id }]);
        }
        return results;
      },
    }),
  }),
  "a run that undoes another one begins at the beginning": () => ({
    store: (store) => ({
      ...store,
      append: (appends) =>
        store.append(
          appends.map((append) => ({ ...append, records: append.records.filter(({ kind }) => kind !== "inherited") })),
        ),
    }),
  }),
  ...plantedLifecycleBugs,
  "canceled timers go on": () => ({
    clock: (clock) => ({
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      soon: (callback) => clock.soon(callback),
      after: (delayMs, callback) => {
        let canceled = false;
        clock.after(delayMs, () => canceled || callback());
        return () => {
          canceled = true;
        };
      },
    }),
  }),
};

async function appendAnyway(store: RunStore, append: Append) {
  const run = await store.get(append.run);
  if (run === undefined) throw new RuntimeError("store-unavailable", "simulated: no such run");
  const [row] = await store.journal(append.run, append.seq - 1, 1);
  const again = row?.appendId === append.appendId;
  const [result] = await store.append([again ? append : { ...append, fence: run.fence, seq: run.seq + 1 }]);
  if (result === undefined) throw new RuntimeError("store-unavailable", "simulated: no answer");
  return result;
}

function withForwardCall(participant: Participant, change: (call: StepCall) => StepCall): Participant {
  return { ...participant, perform: (target, call) => participant.perform(target, change(call)) };
}
