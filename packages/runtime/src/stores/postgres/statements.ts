import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The statements lie in `sql/postgres/` of the package, one a file, written as for psql: `:"schema"` stands for the schema's name. */
const FOLDER = new URL("../../../sql/postgres/", import.meta.url);

export type StatementName =
  | ("append-one" | "append-change" | "append-rows" | "append-changes" | "append-all" | "append-known")
  | ("create" | "create-one" | "release-key")
  | ("claim-wake" | "claim-take" | "claim-fence")
  | ("signal-lock" | "signal" | "signal-known")
  | ("renew" | "bury" | "retire" | "free" | "forget-workers" | "owned" | "inbox-of-owner" | "workers")
  | ("prune" | "stranded")
  | ("put-events" | "append-events" | "create-events" | "read-events" | "prune-events" | "restored-places")
  | ("event-group" | "event-member" | "event-holders" | "hold-shards" | "held-shards" | "release-shards")
  | ("advance" | "event-groups" | "forget-group" | "lock-group")
  | (
      | "batch-open"
      | "batch-active"
      | "batch-lead"
      | "batch-plant"
      | "batch-advance"
      | "batch-halt"
      | "batch-mark"
      | "batch-told"
    )
  | ("batch-lock" | "batch-close" | "batch-of-dead" | "batch-free" | "batch-requeue" | "batch-failures" | "batch-state")
  | ("handle-events" | "known-events" | "prune-handled" | "park-event" | "unpark-event");

/** One step of the schema. Never changed once released; its number is its place in the list, from 1. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

const cache = new Map<string, Statements>();

/** The statements on one schema. */
export class Statements {
  readonly schema: string;
  readonly #texts = new Map<StatementName, string>();

  static on(schema: string): Statements {
    const statements = cache.get(schema) ?? new Statements(schema);
    cache.set(schema, statements);
    return statements;
  }

  constructor(schema: string) {
    this.schema = schema;
  }

  text(name: StatementName): string {
    let text = this.#texts.get(name);
    if (text === undefined) {
      text = this.fill(readFileSync(new URL(`${name}.sql`, FOLDER), "utf8"));
      this.#texts.set(name, text);
    }
    return text;
  }

  /** In the order of their numbers. */
  migrations(): readonly Migration[] {
    const folder = new URL("migrations/", FOLDER);
    return readdirSync(fileURLToPath(folder))
      .sort()
      .map((file) => ({
        name: file.replace(/\.sql$/, ""),
        sql: this.fill(readFileSync(new URL(file, folder), "utf8")),
      }));
  }

  /** Names are quoted, so a schema may be called anything. */
  fill(sql: string): string {
    return sql.replaceAll(':"schema"', () => quoted(this.schema));
  }
}

/** As an identifier in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
