import { isAbsolute, resolve } from "node:path";
import type { ConfigIssue } from "./config-error.js";
import { PROJECT } from "./project.generated.js";
import type { AppSettings } from "./schema.js";

export type DatabaseSettings =
  | {
      readonly driver: "sqlite";
      /** Absolute path. */
      readonly file: string;
    }
  | {
      readonly driver: "postgres";
      /** May hold a password: not for logs. */
      readonly url: string;
      /** Most connections of this instance at once. */
      readonly pool: number;
    };

const SERVER = /^[a-z][a-z0-9+.-]*:\/\//i;
const POSTGRES = /^postgres(ql)?:\/\//i;

interface Place {
  /** The project's folder. */
  readonly root: string;
  readonly production: boolean;
  sourceOf(key: string): string;
}

/** The driver as it is written, else what the url asks for, else sqlite outside production and postgres in it. */
export function resolveDatabase({ database }: AppSettings, place: Place, issues: ConfigIssue[]): DatabaseSettings {
  const { url, pool } = database;
  const asked = POSTGRES.test(url ?? "") || place.production ? "postgres" : "sqlite";
  const driver = database.driver ?? asked;
  const refuse = (expected: string): void => {
    // A url may hold a password.
    const got = url === null ? "nothing" : SERVER.test(url) ? "the url of a server" : url;
    issues.push({ source: place.sourceOf("database.url"), key: "database.url", expected, got });
  };
  if (driver === "sqlite") {
    const isServer = SERVER.test(url ?? "");
    if (isServer)
      refuse(database.driver === null ? "file:<path> or postgresql://..." : "file:<path>: the driver is sqlite");
    return { driver, file: sqliteFile(place.root, isServer ? null : url) };
  }
  if (url !== null && POSTGRES.test(url) && URL.canParse(url)) return { driver, url, pool };
  const why =
    database.driver === null
      ? "the driver is postgres in production, unless sqlite is written out"
      : "the driver is postgres";
  refuse(`postgresql://user@host:port/database: ${why}`);
  return { driver, url: "", pool };
}

/** Absolute path of the file that `url` names, or of the one that the project has for itself. */
export function sqliteFile(root: string, url: string | null): string {
  const path = (url ?? PROJECT.databaseFile).replace(/^file:/, "");
  return isAbsolute(path) ? path : resolve(root, path);
}
