import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { findBinary } from "./find-binary.js";
import { freePort } from "./free-port.js";

export interface PostgresOptions {
  /** Settings of postgresql.conf, such as `{ max_connections: 20 }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** False: commits are not flushed, for tests that do not restart the server. Default true. */
  readonly fsync?: boolean;
}

/** `immediate`: no shutdown, as in a crash; the next start recovers from the log. */
export type StopMode = "fast" | "immediate";

/**
 * A PostgreSQL server of its own: made from the installed binaries in a temporary folder, on a free port of the loopback
 * address, without passwords. As root it runs as the user `postgres`, because the server refuses to run as root.
 */
export interface Postgres {
  readonly port: number;
  readonly dataFolder: string;
  /** Of the server's main process; undefined while it is stopped. */
  readonly pid: number | undefined;
  url(database?: string): string;
  /** Runs SQL with psql; throws with the server's message at the first error. Gives the rows as text, one a line. */
  run(sql: string, database?: string): string;
  /** As `run`, without holding this process up meanwhile. */
  query(sql: string, database?: string): Promise<string>;
  create(database: string): void;
  /** Resolves when the server is gone. */
  stop(mode?: StopMode): Promise<void>;
  /** Resolves when it accepts connections. */
  start(): Promise<void>;
  /** Stops it and removes the folder. */
  remove(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;
const SIGNALS = { fast: "SIGINT", immediate: "SIGQUIT" } as const;

/** One sentence that says what to install; null when a server can be started here. */
export function missingPostgres(): string | null {
  const missing = ["initdb", "postgres", "pg_isready", "psql"].filter((name) => findPostgresBinary(name) === null);
  return missing.length === 0 ? null : `expected PostgreSQL's ${missing.join(", ")}; install the package "postgresql"`;
}

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const missing = missingPostgres();
  if (missing !== null) throw new Error(missing);
  const folder = mkdtempSync(join(tmpdir(), "postgres-"));
  const data = join(folder, "data");
  const user = process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : null;
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const initdb = ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C"];
  execFileSync(binary("initdb"), initdb, { cwd: folder, stdio: "pipe", ...user });
  const port = await freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    fsync: options.fsync === false ? "off" : "on",
    ...options.settings,
  };
  const parameters = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = join(folder, "log");
  let server: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const output = openSync(log, "a");
    const started = spawn(binary("postgres"), ["-D", data, "-p", String(port), ...parameters], {
      ...{ cwd: folder, stdio: ["ignore", output, output], ...user },
    });
    server = started;
    const until = Date.now() + READY_WITHIN_MS;
    while (!(await isReady(port))) {
      if (started.exitCode !== null || Date.now() > until)
        throw new Error(`expected PostgreSQL to start, got:\n${readFileSync(log, "utf8").slice(-2_000)}`);
      await delay(20);
    }
  };
  const stop = async (mode: StopMode = "immediate"): Promise<void> => {
    const stopped = server;
    server = undefined;
    if (stopped === undefined || stopped.exitCode !== null || stopped.signalCode !== null) return;
    const exit = once(stopped, "exit");
    stopped.kill(SIGNALS[mode]);
    await exit;
  };
  const url = (database = "postgres"): string => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  const psql = (database: string): string[] => ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url(database)];
  const run = (sql: string, database = "postgres"): string =>
    execFileSync(binary("psql"), psql(database), {
      ...{ input: sql, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] },
    }).trim();
  const query = async (sql: string, database = "postgres"): Promise<string> =>
    (await execute(binary("psql"), [...psql(database), "-c", sql])).stdout.trim();
  await start();
  return {
    ...{ port, dataFolder: data, url, run, query, start, stop },
    get pid() {
      return server?.pid;
    },
    create: (database) => void run(`create database "${database}"`),
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const execute = promisify(execFile);

function isReady(port: number): Promise<boolean> {
  return execute(binary("pg_isready"), ["-h", "127.0.0.1", "-p", String(port)]).then(
    () => true,
    () => false,
  );
}

function idOf(flag: "-u" | "-g"): number {
  return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
}

function binary(name: string): string {
  return findPostgresBinary(name) ?? name;
}

/** On the path, or where Debian keeps each version's. */
function findPostgresBinary(name: string): string | null {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).map((version) => join(root, version, "bin")) : [];
  return findBinary(name, versions);
}
