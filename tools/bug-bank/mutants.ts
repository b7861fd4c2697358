import { batchMutants } from "./batch-mutants.js";
import { batchWorkerMutants } from "./batch-worker-mutants.js";
import { choreographyMutants } from "./choreography-mutants.js";
import { eventMutants } from "./event-mutants.js";
import type { Mutant } from "./mutant.js";
import { queueMutants } from "./queue-mutants.js";
import { scheduleMutants } from "./schedule-mutants.js";
import { taskMutants } from "./task-mutants.js";

/**
 * Bugs planted in the text of the source, one at a time, because no double of ours could have them: in the engine's own
 * lines, in SQL. Each names the tests that must notice it. `bank.ts` runs them; `mutants.test.ts` sees that each still
 * fits the text.
 */
const src = (path: string): string => `packages/runtime/src/${path}`;
const sql = (name: string): string => `packages/runtime/sql/postgres/${name}.sql`;

const CORE = { tests: [src("engine/core.property.test.ts")], only: "keeps the invariants at every boundary" };
const WORLD = { tests: [src("worker/world.property.test.ts")], only: "keeps the invariants, and nothing" };
const POSTGRES = { tests: [src("stores/postgres/run-store.test.ts")] };

const engine: readonly Mutant[] = [
  {
    name: "unwinding begins before siblings have settled",
    files: [src("engine/unwind.ts")],
    find: "  if (forwardActs(plan, state)) return [];\n",
    replace: "",
    ...CORE,
  },
  {
    name: "what was done first is undone first",
    files: [src("engine/unwind.ts")],
    find: "(let index = Math.min(state.wave, plan.waves.length - 1); index >= (state.unwindTo ?? 0); index--)",
    replace: "(let index = state.unwindTo ?? 0; index < plan.waves.length; index++)",
    ...CORE,
  },
  {
    name: "the first item of a list is undone first",
    files: [src("engine/unwind.ts")],
    find: ".filter(isOpen).reverse()",
    replace: ".filter(isOpen)",
    ...CORE,
  },
  {
    name: "an item begins though another one has failed",
    files: [src("engine/steps/map.ts")],
    find: "    if (stop !== null)\n      return open.some(isRunning)",
    replace: "    if (stop !== null && !open.some(isRunning))\n      return open.some(isRunning)",
    ...CORE,
  },
  {
    name: "a signal that comes before its step is dropped",
    files: [src("engine/messages.ts")],
    find: "return [recordSignal(state, message)];",
    replace:
      'return [...state.steps.values()].some((s) => s.forward.status === "suspended") ? [recordSignal(state, message)] : [];',
    ...WORLD,
  },
  {
    name: "a takeover forgets when a retry is due",
    files: [src("engine/fold.ts")],
    find: "  else act.dueAt = at + record.retryAfterMs;",
    replace: "  else act.dueAt = at;",
    ...CORE,
  },
  {
    name: "a step that a crash cut off is taken for one that did not run",
    files: [src("engine/fold.ts")],
    find: "      act.mayHaveRun = true;\n",
    replace: "",
    ...CORE,
  },
  {
    name: "what was undone runs again in the round it had",
    files: [src("engine/rounds.ts")],
    find: "  if (step.forward.attempt > 0) step.round += 1;\n",
    replace: "",
    ...CORE,
  },
  {
    name: "a retry goes forward though a compensation may have had its effect",
    files: [src("engine/verbs.ts")],
    find: "  if (unknown === undefined) return null;\n",
    replace: "  return null;\n",
    tests: [src("engine/transcripts.test.ts")],
  },
  {
    name: "a paused run goes on",
    files: [src("engine/decide.ts")],
    find: 'if (state.phase === "ended" || state.paused) return NO_RECORDS;',
    replace: 'if (state.phase === "ended") return NO_RECORDS;',
    ...CORE,
  },
  {
    name: "a crash counts against a run that was not driven apart",
    files: [src("engine/crashes.ts")],
    find: "if (crashes.isolated !== null) crashes.counted += 1;",
    replace: "crashes.counted += 1;",
    ...CORE,
  },
  {
    name: "a child of a new round is the one of the round before",
    files: [src("engine/steps/child.ts")],
    find: "const key = round === 1 ? name : `${name}:r${round}`;",
    replace: "const key = round > 0 ? name : `${name}:r${round}`;",
    tests: [src("saga/saga-manager.child-rounds.test.ts")],
  },
];

const worker: readonly Mutant[] = [
  {
    name: "a lease is counted by the local wall clock",
    files: [src("worker/lease-keeper.ts")],
    find: "clock.monotonic()",
    replace: "clock.now()",
    everywhere: true,
    ...WORLD,
  },
  {
    name: "steps are performed on a lease that may have expired",
    files: [src("worker/run-driver.ts")],
    find: "    if (!this.#env.trusted()) return this.abandon();\n",
    replace: "",
    ...WORLD,
  },
  {
    name: "an attempt that timed out is taken for one that did not run",
    files: [src("worker/perform.ts")],
    find: 'return { kind: "failed", error: { code, message }, mayHaveRun: true, retry: true };',
    replace: 'return { kind: "failed", error: { code, message }, mayHaveRun: code !== "timeout", retry: true };',
    ...WORLD,
  },
  {
    name: "a retry has another idempotency key",
    files: [src("worker/attempt-call.ts")],
    find: "this.idempotencyKey = stepKey(this.runId, attempt);",
    replace: "this.idempotencyKey = `${attempt.attempt}:${stepKey(this.runId, attempt)}`;",
    ...WORLD,
  },
  {
    name: "what is dispatched is not in the journal",
    files: [src("worker/worker.ts")],
    find: "store.append(appends)",
    replace:
      'store.append(appends.map((row) => ({ ...row, records: row.records.filter(({ kind }) => kind !== "dispatched") })))',
    ...WORLD,
  },
  {
    name: "who waits for a run hears of its end before that is committed",
    files: [src("worker/run-driver.ts")],
    find: "    this.#rows.send(append, ",
    replace: `    if (next.kind === "finish") {
      this.#shown.written(append.change);
      this.#env.notifier.ended(this.run.id, () => this.#endedRun(this.#env.storeNow()));
    }
    this.#rows.send(append, `,
    ...WORLD,
  },
  {
    name: "a run that was driven alone gives way before it is found innocent in the journal",
    files: [src("worker/decide-apart.ts")],
    find: "  if (!keepsApart) return isolation.pass(run)",
    replace: "  if (!keepsApart) isolation.leave(run);\n  if (!keepsApart) return isolation.pass(run)",
    tests: [src("worker/decide-apart.test.ts")],
  },
  {
    name: "a run is driven again while its last row is on its way, in another lane",
    files: [src("worker/worker.ts")],
    find: "if (driver.hasRowInDoubt) this.#inDoubt.add(driver.run.id);",
    replace: "",
    ...WORLD,
  },
  {
    name: "the run that undoes an abandoned one is not told of its children's ends",
    files: [src("worker/child-runs.ts")],
    find: "signals.push(end(parentId), end(undoRunId(parentId)));",
    replace: "signals.push(end(parentId));",
    tests: [src("saga/saga-manager.child-rounds.test.ts")],
  },
  {
    name: "a worker looks for due runs when it is told, and not otherwise",
    files: [src("worker/worker.ts")],
    find: "pollMs * (",
    replace: "1e6 * pollMs * (",
    tests: [src("stores/postgres/hints.test.ts")],
  },
  {
    name: "a connection that broke is taken for one that was never made",
    files: [src("participants/http.ts")],
    find: '  "ECONNREFUSED",\n',
    replace: '  "ECONNREFUSED",\n  "ECONNRESET",\n  "UND_ERR_SOCKET",\n',
    tests: [src("participants/http.test.ts")],
  },
];

const stores: readonly Mutant[] = [
  {
    name: "memory: a run is parked though a message waits for it",
    files: [src("stores/memory/append.ts")],
    find: 'next.kind === "park" && [...run.inbox.values()].every((entry) => entry.consumed)',
    replace: 'next.kind === "park"',
    tests: [src("stores/memory/run-store.test.ts")],
  },
  {
    name: "memory: a key is one for all definitions",
    files: [src("stores/memory/create.ts")],
    find: "JSON.stringify([tenant, definition, key])",
    replace: "JSON.stringify([tenant, key])",
    tests: [src("stores/memory/run-store.test.ts")],
  },
  {
    name: "SQLite: an append's fence is not checked",
    files: [src("stores/sqlite/append.ts")],
    find: "where id = ? and fence = ? and ended_at is null",
    replace: "where id = ? and fence >= ? and ended_at is null",
    tests: [src("stores/sqlite/run-store.test.ts")],
  },
  {
    name: "SQLite: a refused row's run is changed all the same",
    files: [src("stores/sqlite/append.ts")],
    find: "  if (changes === 0) return sentBefore(db, element);\n",
    replace: "",
    tests: [src("stores/sqlite/run-store.test.ts")],
  },
];

const postgres: readonly Mutant[] = [
  {
    name: "PostgreSQL: an append's fence is not checked",
    files: [sql("append-one"), sql("append-rows"), sql("append-changes"), sql("append-all")],
    find: " and p.fence = ",
    replace: " and p.fence <= ",
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: any row in its place is taken for the one that was sent",
    files: [src("stores/postgres/append.ts")],
    find: "if (row?.append_id !== appendId) return undefined;",
    replace: "if (row === undefined) return undefined;",
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: a row whose reply was lost, sent again, is taken for another owner's",
    files: [src("stores/postgres/append.ts")],
    find: "if (row?.append_id !== appendId) return undefined;",
    replace: "return undefined;",
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: a key is one for all definitions",
    files: [sql("migrations/0001_runs")],
    find: "(tenant, definition, key)",
    replace: "(tenant, key)",
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: a child ends, and then its parent is told",
    files: [src("stores/postgres/append.ts")],
    find: "return connections.transaction((on) => write(on, batch));",
    replace: "return write(connections.writer, batch);",
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: a full disk is taken for a fault of the run",
    files: [src("stores/postgres/driver-error.ts")],
    find: "(08|53|",
    replace: "(08|",
    tests: [src("stores/postgres/exhausted.test.ts")],
  },
  {
    name: "PostgreSQL: the url's options replace what the writers set of the planner",
    files: [src("stores/postgres/connections.ts")],
    find: "...withServerSettings(url, `-c",
    replace: "...((connectionString: string, options: string) => ({ connectionString, options }))(url, `-c",
    tests: [src("stores/postgres/server-settings.test.ts")],
  },
  {
    name: "PostgreSQL: a refused row's run is changed all the same",
    files: [sql("append-changes")],
    find: "    as u (run, seq, fence, append_id, records, ends)\n),",
    replace: "    as u (run, seq, fence, append_id, records, ends)\n  on conflict (run, seq) do nothing\n),",
    tests: [src("stores/postgres/batch.test.ts")],
  },
  {
    name: "PostgreSQL: batches lock in the order of their callers",
    files: [src("stores/postgres/append.ts")],
    find: "[...batch].sort(byPlace)",
    replace: "[...batch]",
    tests: [src("stores/postgres/contention.test.ts")],
  },
  {
    name: "PostgreSQL: one poisoned element fails its batch",
    files: [src("stores/postgres/append.ts")],
    find: "    if (batch.length > 1 && isOfElement(code)) return oneByOne(connections, batch);\n",
    replace: "",
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: a takeover leaves the former owner's place free",
    files: [src("stores/postgres/claim.ts")],
    find: "      .filter((row) => Number(row.fence) > 0)",
    replace: "      .filter((row) => Number(row.fence) > 1_000)",
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: a run alone is parked though a message waits for it",
    files: [sql("append-change")],
    find: "r.inbox_open = 0",
    replace: "true",
    everywhere: true,
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: a run is parked though a message waits for it",
    files: [sql("append-changes")],
    find: "c.parks and r.inbox_open = 0",
    replace: "c.parks",
    everywhere: true,
    tests: [src("stores/postgres/batch.test.ts")],
  },
  {
    name: "PostgreSQL: others are buried by a clock that is an hour ahead",
    files: [sql("bury")],
    find: 'expires_at <= :"schema".now_ms()',
    replace: 'expires_at <= :"schema".now_ms() + 3600000',
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: an outage of the server makes all leases expire",
    files: [sql("bury")],
    find: "floor(extract(epoch from pg_postmaster_start_time()) * 1000)::int8 + (expires_at - renewed_at)",
    replace: "0",
    tests: [src("stores/postgres/failing.test.ts")],
  },
  {
    name: "PostgreSQL: a worker that is not active takes runs",
    files: [sql("claim-take")],
    find: "w.id = $1 and not w.dead and w.expires_at > clock.now",
    replace: "w.id = $1",
    ...POSTGRES,
  },
  {
    name: "PostgreSQL: a claim that is cut off keeps its runs for as long as a statement may take",
    files: [src("stores/postgres/connections.ts")],
    find: ", idleInTransactionMs: CUT_OFF_MS",
    replace: "",
    tests: [src("stores/postgres/network.test.ts")],
    only: "while it claims",
  },
  {
    name: "PostgreSQL: a server that sends to nobody keeps its locks",
    files: [src("stores/postgres/connections.ts")],
    find: "-c tcp_user_timeout=${UNACKNOWLEDGED_MS} ",
    replace: "",
    tests: [src("stores/postgres/network.test.ts")],
    only: "its journal is sent",
  },
  {
    name: "PostgreSQL: a batch of known starts is answered one by one",
    files: [src("stores/postgres/create.ts")],
    find: "    for (const [prepared, result] of await settle(connections.writer, open)) results.set(prepared, result);\n",
    replace: "",
    tests: [src("stores/postgres/network.test.ts")],
    only: "comes again at once",
  },
  {
    name: "PostgreSQL: a silence of the server is no reason to wait",
    files: [src("stores/postgres/silence.ts")],
    find: "now - this.#renewedAt > leaseMs * TRUSTED) this.#endedAt = now;",
    replace: "now - this.#renewedAt > leaseMs * 1_000) this.#endedAt = now;",
    tests: [src("stores/postgres/silence.test.ts")],
  },
];

export const mutants: readonly Mutant[] = [
  ...engine,
  ...worker,
  ...stores,
  ...postgres,
  ...eventMutants,
  ...choreographyMutants,
  ...batchMutants,
  ...batchWorkerMutants,
  ...queueMutants,
  ...scheduleMutants,
  ...taskMutants,
];
