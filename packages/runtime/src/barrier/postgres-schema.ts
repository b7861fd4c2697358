import { RuntimeError } from "../errors.js";
import type { PostgresClient } from "./postgres-client.js";

/** One step of the schema. Never changed once released; its number is its place in the list, from 1. */
interface Migration {
  readonly name: string;
  readonly sql: (schema: string) => string;
}

const MIGRATIONS: readonly Migration[] = [
  {
    name: "calls and fences",
    sql: (schema) => `
      create table ${schema}.calls (
        key text primary key,
        state text not null check (state in ('done', 'refused', 'undone')),
        answer text,
        at timestamptz not null default now()
      );
      create index calls_at on ${schema}.calls (at);
      create table ${schema}.fences (
        run text primary key,
        fence bigint not null,
        at timestamptz not null default now()
      );
      create index fences_at on ${schema}.fences (at)`,
  },
];

/** Within a transaction. */
export async function migratePostgres(client: PostgresClient, schema: string): Promise<void> {
  // Instances that start together: one migrates, the others wait here and find it done.
  await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`barrier of ${schema}`]);
  // "if not exists" alone asks for the right to create schemas also when there is nothing to create.
  const { rows } = await client.query("select to_regclass($1) is not null as there", [`${schema}.migrations`]);
  if ((rows[0] as { there: boolean }).there === false)
    await client.query(
      `create schema if not exists ${schema};
       create table ${schema}.migrations (number int primary key, name text not null, applied_at timestamptz not null default now())`,
    );
  const applied = await client.query(`select coalesce(max(number), 0)::int as version from ${schema}.migrations`);
  const { version } = applied.rows[0] as { version: number };
  if (version > MIGRATIONS.length) {
    const message = `expected the barrier in ${schema} to have schema ${MIGRATIONS.length} at most, got ${version}: a newer version made it; upgrade this one`;
    throw new RuntimeError("store-incompatible", message, { schema, version, known: MIGRATIONS.length });
  }
  for (const [index, { name, sql }] of MIGRATIONS.entries()) {
    if (index < version) continue;
    await client.query(sql(schema));
    await client.query(`insert into ${schema}.migrations (number, name) values ($1, $2)`, [index + 1, name]);
  }
}
