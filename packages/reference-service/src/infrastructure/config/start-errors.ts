/** What the machine refuses when the service starts, told as the setting to look at. */
import { ConfigError } from "./config-error.js";

const LISTENING: Readonly<Record<string, readonly [key: string, expected: string, why: string]>> = {
  EADDRINUSE: ["http.port", "a free port", "another process listens there"],
  EACCES: ["http.port", "a port that this user may open", "permission denied"],
  EADDRNOTAVAIL: ["http.host", "an address of this machine", "it has no such address"],
  ENOTFOUND: ["http.host", "an address of this machine", "no such name"],
};

/** `error` as it is when no setting is to blame. */
export function listenError(error: unknown, { port, host }: { readonly port: number; readonly host: string }): unknown {
  const known = LISTENING[String((error as NodeJS.ErrnoException).code)];
  if (known === undefined) return error;
  const [key, expected, why] = known;
  return new ConfigError([{ source: sourceOf(key), key, expected, got: `${host}:${port} (${why})` }]);
}

/** `place`: the file, or the server with its database, as it is shown. */
export function databaseError(error: unknown, driver: "sqlite" | "postgres", place: string): ConfigError {
  const why = error instanceof Error ? error.message || String(error.name) : String(error);
  const got = `${place} (${why})`;
  return new ConfigError([{ source: sourceOf("database.url"), key: "database.url", expected: DATABASE[driver], got }]);
}

/** `url` as it was set, of which only the places are shown. */
export function redisError(error: unknown, url: string): ConfigError {
  const places = url.split(",").map((node) => {
    const { protocol, host, pathname } = new URL(node);
    return `${protocol}//${host}${pathname}`;
  });
  const key = "redis.url";
  const expected = "a Redis of version 7 or newer that answers and lets this user in";
  const got = `${places.join(", ")} (${error instanceof Error ? error.message : String(error)})`;
  return new ConfigError([{ source: sourceOf(key), key, expected, got }]);
}

const DATABASE = {
  sqlite: "a SQLite file that can be opened and written, or a folder where it can be made",
  postgres: "a PostgreSQL server that answers and lets this user into the database",
} as const;

const sourceOf = (key: string): string =>
  `configs/app.yaml or environment variable ${key.replace(".", "_").toUpperCase()}`;
