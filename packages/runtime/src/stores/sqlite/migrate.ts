import { RuntimeError } from "../../errors.js";
import type { Database } from "./database.js";

/** One step of a schema. Never changed once released; its number is its place in the list, from 1. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

const APPLIED = `create table if not exists clean_arch_migrations (
  component text not null,
  number integer not null,
  name text not null,
  applied_at integer not null,
  primary key (component, number)
) strict, without rowid`;

/**
 * Brings the tables of one component (`runs`, `sessions`, ...) to the newest schema. The file's write lock is held
 * meanwhile, so of many processes that open at once one migrates and the others find it done; a crash midway leaves
 * the old schema. `nowMs` is only recorded. Error: `store-incompatible` when the file's schema is newer than `migrations`.
 */
export function migrate(
  db: Pick<Database, "file" | "exec" | "all" | "run" | "transaction">,
  component: string,
  migrations: readonly Migration[],
  nowMs: number,
): void {
  db.transaction(() => {
    db.exec(APPLIED);
    const [row] = db.all<{ version: number | null }>(
      "select max(number) as version from clean_arch_migrations where component = ?",
      [component],
    );
    const version = row?.version ?? 0;
    if (version > migrations.length) {
      const message = `expected the ${component} of ${db.file} to have schema ${migrations.length} at most, got ${version}: a newer version wrote the file; upgrade this one`;
      throw new RuntimeError("store-incompatible", message, {
        file: db.file,
        component,
        version,
        known: migrations.length,
      });
    }
    for (const [index, { name, sql }] of migrations.entries()) {
      if (index < version) continue;
      db.exec(sql);
      db.run("insert into clean_arch_migrations (component, number, name, applied_at) values (?, ?, ?, ?)", [
        component,
        index + 1,
        name,
        nowMs,
      ]);
    }
  });
}
