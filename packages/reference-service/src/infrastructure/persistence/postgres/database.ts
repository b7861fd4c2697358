/**
 * A pool of connections to a PostgreSQL server. One that breaks is replaced with the next use: a restart or failover of the
 * server costs the statements under way, and nothing else. No call waits forever, also when the way to the server is cut
 * without a word.
 */
import { withServerSettings } from "@clean-arch/runtime/postgres";
import { Client, Pool, type PoolConfig, types } from "pg";
import type { Logger } from "../../../application/ports/logger.js";
import { databaseError } from "../../config/start-errors.js";
import { isUnavailable } from "./driver-errors.js";

export interface PostgresOptions {
  /** `postgresql://user@host:port/database` */
  readonly url: string;
  /** Most connections at once. */
  readonly connections: number;
  /** As the server's list of activity shows it. */
  readonly applicationName: string;
  readonly logger: Logger;
  /** How long to wait for a server that does not answer yet, ms. Default 30,000. */
  readonly patienceMs?: number;
}

export interface PostgresDatabase {
  readonly pool: Pool;
  /** A connection beside the pool, without a limit to how long a statement runs. The caller ends it. */
  connect(): Promise<Client>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** By then the server has canceled the statement, or nobody is there. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000;
const PATIENCE_MS = 30_000;
const PAUSE_MS = 500;

/** Resolves once the server answers. Throws a `ConfigError` when it does not, or cannot be used. */
export async function openPostgres(options: PostgresOptions): Promise<PostgresDatabase> {
  const { url, connections, applicationName, logger } = options;
  const settings: PoolConfig = {
    ...withServerSettings(url, AS_WRITTEN),
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser },
  };
  const limits = { max: connections, statement_timeout: STATEMENT_TIMEOUT_MS, query_timeout: ANSWER_TIMEOUT_MS };
  const pool = new Pool({ ...settings, ...limits });
  // Without a listener the error of a connection that breaks would end the process; who uses it is told anyway.
  pool.on("error", (error) => logger.warn({ reason: error.message }, "an idle database connection broke"));
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    await untilAnswering(pool, options);
  } catch (error) {
    await pool.end();
    throw databaseError(error, "postgres", placeOf(url));
  }
  return {
    pool,
    async connect() {
      const client = new Client(settings);
      client.on("error", () => {});
      await client.connect();
      return client;
    },
    close: () => pool.end(),
  };
}

/** Dates and times are read as the text that the server sends: the driver would make local times of them. */
export function getTypeParser(...[type, format]: Parameters<typeof types.getTypeParser>): (value: string) => unknown {
  const asText = [types.builtins.DATE, types.builtins.TIMESTAMP, types.builtins.TIMESTAMPTZ].includes(type);
  return asText ? (value) => value : types.getTypeParser(type, format);
}

/** The url without what it may hold of secrets. */
function placeOf(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** What the database's, the user's or the url's own settings may say of dates and zones must not change what is read. */
const AS_WRITTEN = "-c DateStyle=ISO -c TimeZone=UTC";

const SERVER = `SELECT current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
  current_setting('full_page_writes') AS full_page_writes, current_setting('synchronous_commit') AS synchronous_commit`;

async function untilAnswering(pool: Pool, { patienceMs = PATIENCE_MS, logger }: PostgresOptions): Promise<void> {
  const since = performance.now();
  for (let tries = 1; ; tries += 1) {
    try {
      const [server = {}] = (await pool.query<Record<string, string>>(SERVER)).rows;
      if (server.encoding !== "UTF8")
        throw new Error(`a database in UTF8 is needed, this one is in ${server.encoding}`);
      const off = Object.keys(server).filter((setting) => server[setting] === "off");
      if (off.length > 0) logger.warn({ off }, "the server may lose what it has confirmed when its machine stops");
      return;
    } catch (error) {
      if (!isUnavailable(error) || performance.now() - since > patienceMs) throw error;
      if (tries === 1) logger.warn({ reason: String(error) }, "the database does not answer yet; waiting for it");
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
