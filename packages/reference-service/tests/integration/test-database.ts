/**
 * Where a test keeps its data: in SQLite, or, when TEST_DATABASE_URL names a PostgreSQL server, there, in a database or
 * schema that is dropped afterwards.
 */
import { randomBytes } from "node:crypto";
import { Client } from "pg";

export interface TestDatabase {
  readonly url: string;
  remove(): Promise<void>;
}

/** Null: SQLite. A `schema` is made faster, but a service's runs lie beside it: a whole service needs a `database`. */
export async function newTestDatabase(kind: "database" | "schema"): Promise<TestDatabase | null> {
  const server = process.env.TEST_DATABASE_URL ?? "";
  if (server === "") return null;
  const name = `test_${randomBytes(8).toString("hex")}`;
  await runOn(server, `CREATE ${kind} ${name}`);
  const url = new URL(server);
  if (kind === "database") url.pathname = `/${name}`;
  else url.searchParams.set("options", `-c search_path=${name}`);
  const drop = kind === "database" ? `DROP DATABASE ${name} WITH (FORCE)` : `DROP SCHEMA ${name} CASCADE`;
  return { url: url.href, remove: () => runOn(server, drop) };
}

async function runOn(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
