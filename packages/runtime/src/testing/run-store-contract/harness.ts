import { expect, it } from "vitest";
import type { JournalRecord } from "../../engine/records.js";
import type {
  Append,
  AppendResult,
  ClaimedRun,
  CreateRun,
  RenewResult,
  RunRow,
  RunStore,
  Signal,
} from "../../store/run-store.js";

/** A store on data of its own, for one test. */
export interface RunStoreUnderTest {
  /** Opened. */
  readonly store: RunStore;
  /** Moves the store's clock forward by `ms`: a clock of the test's, or an offset that every store here adds to its server's. */
  advance(ms: number): void | Promise<void>;
  /** A further store object, opened on the same data, as another process would have it. */
  reopen?(): Promise<RunStore>;
  /** Missing when the store has no `begin`. */
  readonly effects?: EffectsUnderTest;
  /** Closes every store opened and removes the data. */
  close(): Promise<void>;
}

/** Something that a step's transaction changes in the store's own database, for the test to look at. */
export interface EffectsUnderTest {
  /** Writes a name through the client of an open transaction; at once, where the client is synchronous. */
  write(client: unknown, name: string): unknown;
  /** The names that are committed, sorted. */
  committed(): Promise<string[]>;
}

export interface RunStoreTraits {
  open(): Promise<RunStoreUnderTest>;
  /** Whether one worker at most is active at a time. */
  readonly singleWorker: boolean;
  /**
   * How far the store's clock may move by itself during one test, ms, at most 2,000. Default 0: only `advance` moves it. For
   * a store that follows a server's clock; times are then compared, and leases tried, within that.
   */
  readonly clockDriftMs?: number;
  /** What the store does not do, each with the reason; the tests of it are skipped under that reason. */
  readonly lacks?: { readonly reopen?: string };
}

export interface ContractBench extends RunStoreUnderTest {
  /** The least time that the test can tell apart, ms. */
  readonly tickMs: number;
  /** Matches that time of the store's clock. */
  near(atMs: number): unknown;
}

export type ContractTest = (title: string, body: (under: ContractBench) => Promise<void>) => void;

/** `it` with a fresh store that is closed whatever happens. */
export function testWith(traits: RunStoreTraits): ContractTest {
  const { clockDriftMs = 0 } = traits;
  const near = (atMs: number): unknown =>
    clockDriftMs === 0 ? atMs : expect.closeTo(atMs, -Math.log10(2 * clockDriftMs));
  return (title, body) =>
    it(title, async () => {
      const under = await traits.open();
      try {
        await body({ ...under, near, tickMs: Math.max(1, clockDriftMs) });
      } finally {
        await under.close();
      }
    });
}

export const LEASE_MS = 10_000;
export const DEFINITION = { name: "order", version: "v1" };
/** A `dispatched` record, for journals whose content does not matter. */
export const RECORD: JournalRecord = { kind: "dispatched", step: "pay", direction: "forward", attempt: 1, round: 1 };

/** Ids sort by `n`, like those of runs started one after the other. */
export function runId(n: number): string {
  return `01890000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

export function newRun(n: number, overrides: Partial<CreateRun> = {}): CreateRun {
  return {
    ...{ id: runId(n), tenant: "default", type: "saga", definition: DEFINITION.name, version: DEFINITION.version },
    ...{
      key: null,
      inputHash: "hash",
      businessKey: null,
      attributes: null,
      sessionId: null,
      queue: "default",
      partitionKey: null,
      priority: 0,
    },
    ...{ input: { n }, rootId: runId(n), parentId: null, restartedFrom: null, claim: null },
    ...overrides,
  };
}

export function newSignal(run: string, id: string, overrides: Partial<Signal> = {}): Signal {
  return { run, id, kind: "signal", name: "paid", payload: { id }, actor: "tester", ...overrides };
}

/** The next append of a run that somebody holds. */
export function nextAppend(run: Pick<RunRow, "id" | "fence" | "seq">, overrides: Partial<Append> = {}): Append {
  const { id, fence, seq } = run;
  return {
    run: id,
    fence,
    seq: seq + 1,
    appendId: `${id}/${fence}/${seq + 1}`,
    records: [RECORD],
    next: { kind: "keep" },
    ...overrides,
  };
}

export async function renewed(store: RunStore, worker: string, runs: readonly string[] = []): Promise<RenewResult> {
  return store.renew({ worker, label: `${worker} label`, leaseMs: LEASE_MS, runs });
}

export async function activate(
  store: RunStore,
  worker: string,
  runs: readonly string[] = [],
): Promise<RenewResult & { kind: "active" }> {
  const result = await renewed(store, worker, runs);
  if (result.kind !== "active") expect.fail(`expected ${worker} to be active, got ${result.kind}`);
  return result;
}

export async function claimAll(store: RunStore, worker: string, limit = 100): Promise<ClaimedRun[]> {
  return store.claim({ worker, definitions: [DEFINITION], limit });
}

/** Creates runs 1 to `count` and has an active `worker` claim them: as they are in the store, oldest first. */
export async function claimNew(store: RunStore, worker: string, count = 1): Promise<RunRow[]> {
  await activate(store, worker);
  await store.create(Array.from({ length: count }, (_, index) => newRun(index + 1)));
  const claimed = await claimAll(store, worker);
  expect(claimed.length).toBe(count);
  return claimed.map(({ run }) => run);
}

/** Claims one new run, and fails the test when there is not exactly one. */
export async function claimOne(store: RunStore, worker: string): Promise<RunRow> {
  return first(await claimNew(store, worker));
}

export async function appendOne(store: RunStore, append: Append): Promise<AppendResult> {
  return first(await store.append([append]));
}

/** The run as it is now; fails the test when it is unknown. */
export async function current(store: RunStore, id: string): Promise<RunRow> {
  const run = await store.get(id);
  return run ?? expect.fail(`expected run ${id} in the store, got none`);
}

/** All that a store tells about a run, for "nothing changed". */
export async function everythingOf(store: RunStore, id: string): Promise<unknown> {
  return { run: await store.get(id), journal: await store.journal(id), checkpoints: await store.checkpoints(id) };
}

export function first<T>(items: readonly T[]): T {
  expect(items.length).toBe(1);
  return items[0] as T;
}

/** Texts and values that databases refuse, truncate or change. */
export const POISON: readonly (readonly [string, string])[] = [
  ["a NUL character", "a\0b"],
  ["a lone surrogate", "a\ud800b"],
];
