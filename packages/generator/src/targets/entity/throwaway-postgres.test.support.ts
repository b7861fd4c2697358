/**
 * A PostgreSQL server for one test file: made from the installed binaries in a temporary folder, reached over a socket in
 * it (no port), gone afterwards. As root it runs as the user `postgres`, because the server refuses to run as root.
 */
// cspell:ignore runuser
import { execFileSync } from "node:child_process";
import { accessSync, chownSync, constants, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ThrowawayPostgres {
  /** Runs SQL in a database of its own; throws with the server's message at the first error. */
  run(database: string, sql: string): string;
  create(database: string): void;
  stop(): void;
}

/** Why there can be no server here; null when there can. */
export function missingPostgres(): string | null {
  const missing = ["initdb", "pg_ctl", "psql"].filter((name) => findBinary(name) === null);
  return missing.length === 0 ? null : `${missing.join(", ")} not installed`;
}

const NOTHING_TO_READ = "ignore";
const AS_ROOT = process.getuid?.() === 0;

export function startPostgres(): ThrowawayPostgres {
  const folder = mkdtempSync(join(tmpdir(), "pg-"));
  const data = join(folder, "data");
  const call = (name: string, parameters: readonly string[], input = ""): string => {
    const binary = findBinary(name) ?? name;
    const [command, list] = AS_ROOT
      ? ["runuser", ["-u", "postgres", "--", binary, ...parameters]]
      : [binary, [...parameters]];
    return execFileSync(command, list, { cwd: folder, input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  };
  // The server keeps what it is given as output open: a pipe would never end.
  const control = (...parameters: string[]): void => {
    const binary = findBinary("pg_ctl") ?? "pg_ctl";
    const [command, list] = AS_ROOT
      ? ["runuser", ["-u", "postgres", "--", binary, ...parameters]]
      : [binary, parameters];
    execFileSync(command, list, { cwd: folder, stdio: NOTHING_TO_READ });
  };
  if (AS_ROOT) chownSync(folder, idOf("-u"), idOf("-g"));
  call("initdb", ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C"]);
  const options = `-c listen_addresses='' -c unix_socket_directories='${folder}' -c fsync=off`;
  control("-D", data, "-w", "-l", join(folder, "log"), "-o", options, "start");
  const psql = (database: string, sql: string): string => {
    const flags = ["-h", folder, "-U", "postgres", "-d", database, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"];
    return call("psql", flags, sql);
  };
  return {
    run: psql,
    create: (database) => void psql("postgres", `CREATE DATABASE "${database}"`),
    stop() {
      control("-D", data, "-w", "-m", "immediate", "stop");
      rmSync(folder, { recursive: true });
    },
  };
}

function idOf(flag: "-u" | "-g"): number {
  return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
}

/** On the path, or where Debian keeps each version's. */
function findBinary(name: string): string | null {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).map((version) => join(root, version, "bin")) : [];
  for (const folder of [...versions, ...(process.env.PATH ?? "").split(":")]) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not here.
    }
  }
  return null;
}
