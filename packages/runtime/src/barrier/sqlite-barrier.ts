import { BusinessRefusal, RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { type Clock, systemPorts } from "../ports.js";
import { migrate } from "../stores/sqlite/migrate.js";
import {
  type Barrier,
  type BarrierCall,
  type BarrierOptions,
  DEFAULT_PRUNE_LIMIT,
  PRUNE_EVERY_CALLS,
  resolveBounds,
} from "./barrier.js";
import { decodeKnown, encodeKnown, type KnownRow, toAnswer } from "./known-row.js";
import { type SqliteDatabase, sqliteHandle } from "./sqlite-handle.js";
import {
  fenceScopeOf,
  judge,
  type Known,
  keyOf,
  type Refusal,
  RememberedRefusal,
  refusalOf,
  staleFence,
} from "./verdict.js";

export interface SqliteBarrierOptions extends BarrierOptions {
  /** For the retention. Default: the system's. */
  readonly clock?: Clock;
}

const MIGRATIONS = [
  {
    name: "calls and fences",
    sql: `
      create table clean_arch_barrier_calls (
        key text primary key not null,
        state text not null check (state in ('done', 'refused', 'undone')),
        answer text,
        at integer not null
      ) strict;
      create index clean_arch_barrier_calls_at on clean_arch_barrier_calls (at);
      create table clean_arch_barrier_fences (run text primary key not null, fence integer not null, at integer not null) strict;
      create index clean_arch_barrier_fences_at on clean_arch_barrier_fences (at)`,
  },
];

const FENCE = "select fence from clean_arch_barrier_fences where run = ?";
const RAISE = "insert or replace into clean_arch_barrier_fences (run, fence, at) values (?, ?, ?)";
const CALL = "select state, answer from clean_arch_barrier_calls where key = ?";
const WRITE = "insert or replace into clean_arch_barrier_calls (key, state, answer, at) values (?, ?, ?, ?)";
const PRUNE = ["calls", "fences"].map(
  (table) =>
    `delete from clean_arch_barrier_${table} where rowid in (select rowid from clean_arch_barrier_${table} where at < ? order by at limit ?)`,
);

/** How a call came out, the transaction being left in order: what is thrown is thrown after its commit. */
type Settled = { readonly answer: Json } | { readonly refusal: Refusal } | { readonly thrown: unknown };

/**
 * A barrier in an SQLite file, for handlers whose effects lie there too, through the same connection. Handlers are
 * synchronous: across an `await` the connection's other users would write into the transaction, and the file's other
 * connections wait for it. A promise is refused and its effect undone.
 */
export function sqliteBarrier<Db extends SqliteDatabase>(
  database: Db,
  options: SqliteBarrierOptions = {},
): Barrier<Db> {
  const { clock = systemPorts.clock } = options;
  const { retentionMs, maxAnswerBytes } = resolveBounds(options);
  const db = sqliteHandle(database);
  let calls = 0;

  const knownOf = (key: string): Known | undefined => decodeKnown(db.all<KnownRow>(CALL, [key])[0]);
  const write = (key: string, known: Known): void => {
    const { state, answer } = encodeKnown(known);
    db.run(WRITE, [key, state, answer, clock.now()]);
  };

  function raiseFence(call: BarrierCall): void {
    const scope = fenceScopeOf(call);
    const newest = db.all<{ fence: number }>(FENCE, [scope])[0]?.fence;
    if (newest !== undefined && newest > call.fence) throw staleFence(call, newest);
    if (newest !== call.fence) db.run(RAISE, [scope, call.fence, clock.now()]);
  }

  function settle(call: BarrierCall, handler: (answered: Json | undefined) => unknown, undoUnknown: boolean): Settled {
    const key = keyOf(call);
    const forward = call.forwardKey === undefined;
    const verdict = judge(call, knownOf(key), undoUnknown);
    if (verdict.kind === "answer") return { answer: verdict.answer };
    if (verdict.kind === "refuse") return { refusal: verdict.refusal };
    try {
      return db.transaction(() => {
        const value = verdict.kind === "perform" ? synchronous(handler(verdict.answered)) : null;
        const answer = forward ? toAnswer(value, key, maxAnswerBytes) : null;
        write(key, forward ? { state: "done", answer } : { state: "undone" });
        return { answer };
      });
    } catch (thrown) {
      if (!(forward && thrown instanceof BusinessRefusal)) return { thrown };
      const refusal = refusalOf(thrown);
      write(key, { state: "refused", refusal });
      return { refusal };
    }
  }

  const prune = (limit: number): number =>
    ask(() => {
      const before = clock.now() - retentionMs;
      return PRUNE.reduce((deleted, sql) => deleted + db.run(sql, [before, limit]).changes, 0);
    });

  return {
    migrate: async () => ask(() => migrate(db, "barrier", MIGRATIONS, clock.now())),
    prune: async (limit = DEFAULT_PRUNE_LIMIT) => prune(limit),
    async run(call, handler, { undoUnknown = false } = {}) {
      keyOf(call);
      const settled = ask(() =>
        db.transaction(() => {
          raiseFence(call);
          return settle(call, (answered) => handler(database, answered), undoUnknown);
        }),
      );
      calls += 1;
      if (calls % PRUNE_EVERY_CALLS === 0) {
        try {
          prune(DEFAULT_PRUNE_LIMIT);
        } catch {
          // In passing; what it leaves, a later one deletes.
        }
      }
      if ("thrown" in settled) throw settled.thrown;
      if ("refusal" in settled) throw new RememberedRefusal(settled.refusal);
      return settled.answer;
    },
  };
}

function synchronous(value: unknown): unknown {
  if (!(value instanceof Promise)) return value;
  // Its own failure would come to nobody.
  value.catch(() => {});
  const message =
    "expected a synchronous handler of a barrier on SQLite, got one that returns a promise; do what is asynchronous before barrier.run";
  throw new RuntimeError("feature-unavailable", message);
}

/** For the barrier's own statements: the driver's errors become the runtime's. */
function ask<Result>(statements: () => Result): Result {
  try {
    return statements();
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    const text = cause instanceof Error ? cause.message : "";
    const advice = text.includes("no such table")
      ? "run migrate() of the barrier first"
      : "the call may be tried again";
    throw new RuntimeError(
      "store-unavailable",
      `expected the barrier's tables to answer, got an error; ${advice}`,
      {},
      { cause },
    );
  }
}
