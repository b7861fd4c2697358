import pg from "pg";
import { RuntimeError } from "../../errors.js";
import { fromDriver, isOfStatement } from "./driver-error.js";
import { withServerSettings } from "./server-settings.js";
import { type StatementName, Statements } from "./statements.js";
import { Turns } from "./turns.js";

export interface PostgresOptions {
  /**
   * postgresql://user:password@host:port/database. The user may create the schema at the first start. `options` in it are
   * kept, but for what the store's writers set of the planner.
   */
  readonly url: string;
  /** Of the runtime's tables. Default `clean_arch`. */
  readonly schema?: string;
  /** Connections for writing runs. Default 5. Beside them there are up to 4 for reading, 2 for the outbox, and one that listens. */
  readonly connections?: number;
  /**
   * Of steps and chunks that are open at once, and of events that are handled at once: as many of each; the others wait for their turn. Each has a
   * connection, made when needed. Default 4.
   */
  readonly transactions?: number;
  /** For one statement and for its answer, ms; keep it below the lease. Default 5,000. */
  readonly statementTimeoutMs?: number;
  /** For a new connection, ms. Default 3,000. */
  readonly connectTimeoutMs?: number;
}

export type Row = Record<string, unknown>;

export type TransactionOf = "step" | "event";

/** What runs statements: a connection in a transaction, or any connection. */
export interface Queryable {
  /** The name of the runtime's schema. */
  readonly schema: string;
  /** By its name in `sql/postgres/`; prepared once per connection. */
  run(name: StatementName, values: readonly unknown[]): Promise<Row[]>;
  /** A statement made on the spot, with `:"schema"` filled in. */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Two appends, new runs, a claim, and the renewal of the lease, which must not wait for any of them. */
const DEFAULT_CONNECTIONS = 5;
export const DEFAULT_TRANSACTIONS = 4;
const READERS = 4;
const LOG_READERS = 2;
const STATEMENT_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** For locks that a half-dead backend holds. */
const LOCK_TIMEOUT_MS = 2_000;
/**
 * Between two statements of the store's own transactions, which follow each other at once: a process that lets longer pass is
 * paused or cut off, and what it has locked keeps others from taking its runs over.
 */
const CUT_OFF_MS = 1_000;
/**
 * Until what was sent is acknowledged by the other machine, for which a few retransmissions may be needed. A server stuck in
 * sending heeds no other timeout, and would keep its locks for a quarter of an hour.
 */
const UNACKNOWLEDGED_MS = 2_000;
/** The answer may come a little later than the server gives up. */
const ANSWER_MARGIN_MS = 1_000;

/**
 * A plan is made once and stays, so it must not depend on how little the tables held at that time: rows are found by an index, in its
 * order where they are wanted so, and never all of them collected first.
 */
const BY_INDEX =
  "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c max_parallel_workers_per_gather=0 -c jit=off";

/** A log is read from a place on, in its order. With few rows known behind the place the planner would rather collect and sort them all. */
const IN_ORDER = `${BY_INDEX} -c enable_sort=off`;

/** The timeline changes when a standby takes over: it may lack what the old server had acknowledged. */
const TIMELINE = `select pg_is_in_recovery() as standby,
  case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) end as timeline`;

/**
 * The connections of a store. Writers plan each statement once, by index, whatever the tables held at that time. Every
 * connection has timeouts on both sides, so a half-open socket or a paused server is noticed, and one that failed otherwise
 * than by its statement is closed. Errors: see `fromDriver`; after `close`, `store-unavailable`.
 */
export class Connections {
  readonly #options: PostgresOptions;
  readonly statements: Statements;
  readonly #writers: pg.Pool;
  readonly #readers: pg.Pool;
  readonly #logReaders: pg.Pool;
  /**
   * For transactions of steps and of handled events: they may last, and the leases' renewals must not wait for them. Nor do steps wait
   * for handlers, for one of those may wait for a step.
   */
  readonly #transactors: Readonly<Record<TransactionOf, { readonly pool: pg.Pool; readonly turns: Turns }>>;
  /** Given back, and at hand for the next statement: the pool's own way to a connection costs a turn of the event loop and two timers. */
  readonly #kept = new Map<pg.Pool, pg.PoolClient[]>();
  #timeline: string | null = null;
  #movedTo: string | null = null;
  #closed = false;

  constructor(options: PostgresOptions) {
    this.#options = options;
    this.statements = Statements.on(options.schema ?? "clean_arch");
    const writers = options.connections ?? DEFAULT_CONNECTIONS;
    this.#writers = this.#pool(writers, { settings: BY_INDEX, idleInTransactionMs: CUT_OFF_MS });
    this.#readers = this.#pool(READERS);
    this.#logReaders = this.#pool(LOG_READERS, { settings: IN_ORDER });
    const transactions = options.transactions ?? DEFAULT_TRANSACTIONS;
    const transactors = () => ({ pool: this.#pool(transactions), turns: new Turns(transactions) });
    this.#transactors = { step: transactors(), event: transactors() };
  }

  /** Non-null from when another server was found to have taken over until `accept`: its journal may be shorter. */
  get movedTo(): string | null {
    return this.#movedTo;
  }

  accept(): void {
    this.#timeline = this.#movedTo ?? this.#timeline;
    this.#movedTo = null;
  }

  /** Outside a transaction: one statement, one commit. */
  get writer(): Queryable {
    return this.#anyOf(this.#writers);
  }

  get reader(): Queryable {
    return this.#anyOf(this.#readers);
  }

  /** For the outbox: its order and its ends. */
  get logReader(): Queryable {
    return this.#anyOf(this.#logReaders);
  }

  /** All or nothing. A throw rolls back; when the commit's answer is lost, `store-unavailable`, and nobody knows. */
  async transaction<T>(body: (connection: Queryable) => Promise<T>): Promise<T> {
    return this.#with(this.#writers, async (client) => {
      await client.query("begin");
      try {
        const result = await body(this.#queryable(client));
        await client.query("commit");
        return result;
      } catch (error) {
        if (isOfStatement(error) || error instanceof RuntimeError) await client.query("rollback");
        throw error;
      }
    });
  }

  /**
   * A connection of the caller's own for a transaction, to be given back by `release`, with the error when it must not be used
   * again. Waits for its turn, however long. The server plans its statements as it does everybody's.
   */
  async take(of: TransactionOf): Promise<{ client: pg.PoolClient; on: Queryable; release: (broken?: Error) => void }> {
    const { pool, turns } = this.#transactors[of];
    await turns.take();
    try {
      const client = await this.#open(pool).connect();
      const release = (broken?: Error): void => {
        client.release(broken);
        turns.give();
      };
      return { client, on: this.#queryable(client), release };
    } catch (error) {
      turns.give();
      throw fromDriver(error);
    }
  }

  /** A connection outside the pools, for listening. */
  dedicated(): pg.Client {
    return new pg.Client({
      ...{ connectionString: this.#options.url, keepAlive: true, application_name: "clean-arch listener" },
      connectionTimeoutMillis: this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const clients of this.#kept.values()) for (const client of clients.splice(0)) client.release();
    const { step, event } = this.#transactors;
    await Promise.all(
      [this.#writers, this.#readers, this.#logReaders, step.pool, event.pool].map((pool) => pool.end()),
    );
  }

  #pool(max: number, session: { readonly settings?: string; readonly idleInTransactionMs?: number } = {}): pg.Pool {
    const { url, statementTimeoutMs = STATEMENT_TIMEOUT_MS, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const { settings = "", idleInTransactionMs = statementTimeoutMs } = session;
    const pool = new pg.Pool({
      ...withServerSettings(url, `-c tcp_user_timeout=${UNACKNOWLEDGED_MS} ${settings}`),
      ...{ max, keepAlive: true, application_name: "clean-arch" },
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: statementTimeoutMs + ANSWER_MARGIN_MS,
      statement_timeout: statementTimeoutMs,
      lock_timeout: Math.min(LOCK_TIMEOUT_MS, statementTimeoutMs),
      idle_in_transaction_session_timeout: Math.min(idleInTransactionMs, statementTimeoutMs),
      // They stay: a timer for each use of a connection costs more than a few open ones.
      idleTimeoutMillis: 0,
      verify: (client, done) => {
        this.#verify(client).then(() => done(), done);
      },
    });
    // A connection that breaks in a transaction while no statement is under way tells at its next use. Without a listener it
    // would end the process.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", (error) => this.#forget(pool, client, error)));
    return pool;
  }

  async #verify(client: pg.PoolClient): Promise<void> {
    const { rows } = await client.query(TIMELINE);
    const { standby, timeline } = rows[0] as { standby: boolean; timeline: string | null };
    if (standby || timeline === null)
      throw new RuntimeError("store-unavailable", "expected PostgreSQL's primary server, got a standby");
    this.#timeline ??= timeline;
    if (timeline !== this.#timeline) this.#movedTo = timeline;
  }

  #anyOf(pool: pg.Pool): Queryable {
    return {
      schema: this.statements.schema,
      run: (name, values) => this.#with(pool, (client) => this.#queryable(client).run(name, values)),
      query: (sql, values) => this.#with(pool, (client) => this.#queryable(client).query(sql, values)),
    };
  }

  #queryable(client: pg.ClientBase): Queryable {
    const { statements } = this;
    return {
      schema: statements.schema,
      run: async (name, values) => {
        const { rows } = await client.query<Row>({ name, text: statements.text(name), values: [...values] });
        return rows;
      },
      query: async (sql, values = []) => {
        const { rows } = await client.query<Row>(statements.fill(sql), [...values]);
        return rows;
      },
    };
  }

  async #with<T>(pool: pg.Pool, body: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let client: pg.PoolClient | undefined;
    let broken: Error | undefined;
    try {
      const open = this.#open(pool);
      client = this.#atHand(open).pop() ?? (await open.connect());
      return await body(client);
    } catch (error) {
      if (!isOfStatement(error)) broken = error instanceof Error ? error : new Error(String(error));
      throw fromDriver(error);
    } finally {
      if (client !== undefined) this.#giveBack(pool, client, broken);
    }
  }

  #atHand(pool: pg.Pool): pg.PoolClient[] {
    let clients = this.#kept.get(pool);
    if (clients === undefined) {
      clients = [];
      this.#kept.set(pool, clients);
    }
    return clients;
  }

  #giveBack(pool: pg.Pool, client: pg.PoolClient, broken: Error | undefined): void {
    if (broken !== undefined || this.#closed || pool.waitingCount > 0) client.release(broken);
    else this.#atHand(pool).push(client);
  }

  /** It broke while nobody used it. */
  #forget(pool: pg.Pool, client: pg.PoolClient, error: Error): void {
    const clients = this.#atHand(pool);
    const index = clients.indexOf(client);
    if (index < 0) return;
    clients.splice(index, 1);
    client.release(error);
  }

  #open(pool: pg.Pool): pg.Pool {
    if (!this.#closed) return pool;
    throw new RuntimeError("store-unavailable", "expected an open PostgreSQL store, got a call after close");
  }
}
