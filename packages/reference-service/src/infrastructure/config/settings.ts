import type { CookieSettings } from "./cookie.js";
import type { DatabaseSettings } from "./database.js";
import type { EncryptionKey } from "./encryption-keys.js";
import type { AppSettings } from "./schema.js";
import type { SessionStorage } from "./session-storage.js";

/** The whole configuration of this process: what was read, and what follows from it. */
export interface Settings {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** `NODE_ENV=production`. */
  readonly production: boolean;
  readonly app: AppSettings;
  readonly port: number;
  readonly host: string;
  readonly auth: "none" | "session" | "token";
  readonly operatorToken: string;
  /** True: made up for this start, and to be printed once. */
  readonly operatorTokenIsNew: boolean;
  /** Where entities, runs and what simulated services did are kept. */
  readonly database: DatabaseSettings;
  /** Absolute path of the SQLite file: of everything, or of sessions alone when the database is a server. */
  readonly databaseFile: string;
  /** Absolute path of `migrations/`. */
  readonly migrationsFolder: string;
  readonly sessionStorage: SessionStorage;
  /** The first encrypts what sessions hold, all decrypt; none: it is kept as it is. */
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly cookie: CookieSettings;
  readonly services: readonly ResolvedService[];
}

/** How a service is reached: by its url, behind a NATS server, in this process, or not at all (simulated). */
export interface ResolvedService {
  readonly name: string;
  readonly transport: "http" | "nats" | "local" | "simulated";
  /** Set for `http`, and for `nats`, where it is the server's. */
  readonly url: string | null;
  /** Sent with every call. */
  readonly headers: Readonly<Record<string, string>>;
}
