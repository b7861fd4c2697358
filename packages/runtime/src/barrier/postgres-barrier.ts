import { RuntimeError } from "../errors.js";
import { type Clock, systemPorts } from "../ports.js";
import { type Barrier, type BarrierOptions, DEFAULT_PRUNE_LIMIT, PRUNE_EVERY_CALLS, resolveBounds } from "./barrier.js";
import { KeyedLanes } from "./keyed-lanes.js";
import { performCall } from "./postgres-call.js";
import type { ClientOf, PostgresPool } from "./postgres-client.js";
import { ask, commit, withClient } from "./postgres-connection.js";
import { migratePostgres } from "./postgres-schema.js";
import { statementsIn } from "./postgres-statements.js";
import { inProgress, keyOf, RememberedRefusal } from "./verdict.js";

export interface PostgresBarrierOptions extends BarrierOptions {
  /** Of the barrier's tables; made when missing. Small letters, digits and underscores. Default `clean_arch_barrier`. */
  readonly schema?: string;
  /**
   * How long a call waits for an earlier call of the same key before it is told `in-progress`, ms: first for one of this
   * process, then for one of another. It bounds the waits for locks of the handler's own statements too. Default 5,000.
   */
  readonly waitMs?: number;
  /** How long a handler may leave its transaction without a statement, ms; then the server ends it. Default 60,000. */
  readonly idleMs?: number;
  /** For the wait. Default: the system's. */
  readonly clock?: Clock;
}

const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * A barrier in a PostgreSQL database, for handlers whose effects lie there too. A handler may be asynchronous; its call
 * holds one connection of the pool meanwhile, with a transaction of isolation level read committed.
 */
export function postgresBarrier<Pool extends PostgresPool>(
  pool: Pool,
  options: PostgresBarrierOptions = {},
): Barrier<ClientOf<Pool>> {
  const { schema = "clean_arch_barrier", waitMs = 5_000, idleMs = 60_000, clock = systemPorts.clock } = options;
  if (!SCHEMA.test(schema))
    throw new RuntimeError("config-invalid", `expected schema to be like ${SCHEMA.source}, got "${schema}"`);
  const { retentionMs, maxAnswerBytes } = resolveBounds(options, { waitMs, idleMs });
  const statements = statementsIn(`"${schema}"`);
  const lanes = new KeyedLanes(clock);
  const begin = [
    "begin isolation level read committed",
    `set local lock_timeout = ${waitMs}`,
    `set local idle_in_transaction_session_timeout = ${idleMs}`,
  ].join("; ");
  let calls = 0;

  const prune = (limit = DEFAULT_PRUNE_LIMIT): Promise<number> =>
    withClient(pool, (client) => ask(() => statements.prune(client, retentionMs, limit)));

  return {
    prune,
    migrate: () =>
      withClient(pool, async (client) => {
        await ask(() => client.query("begin isolation level read committed"));
        await ask(() => migratePostgres(client, schema));
        await commit(client);
      }),
    async run(call, handler, { undoUnknown = false } = {}) {
      const key = keyOf(call);
      if (!(await lanes.enter(key, waitMs))) throw inProgress(call);
      try {
        const settled = await withClient(pool, (client) =>
          performCall({
            ...{ client, statements, begin, call, undoUnknown, maxAnswerBytes },
            // It came from the user's pool, whose type says more of it than the barrier's does.
            handler: (answered) => handler(client as ClientOf<Pool>, answered),
          }),
        );
        if ("refusal" in settled) throw new RememberedRefusal(settled.refusal);
        return settled.answer;
      } finally {
        lanes.leave(key);
        calls += 1;
        // In passing; what it leaves, a later one deletes.
        if (calls % PRUNE_EVERY_CALLS === 0) prune().catch(() => {});
      }
    },
  };
}
