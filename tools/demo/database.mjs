import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fail } from "./expectations.mjs";

/**
 * A database of the demo's own on the server that `server` names, made with the driver of the generated project; `drop`
 * removes it, with whatever is still connected to it. Null when `server` names no PostgreSQL server.
 */
export async function createDemoDatabase(server, project) {
  if (!/^postgres(ql)?:\/\//i.test(server ?? "")) return null;
  const { Client } = createRequire(join(project, "package.json"))("pg");
  const name = `order_service_demo_${randomBytes(4).toString("hex")}`;
  const run = async (sql) => {
    const client = new Client({ connectionString: server, connectionTimeoutMillis: 5_000 });
    try {
      await client.connect();
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await run(`CREATE DATABASE ${name}`).catch(({ message }) =>
    fail(`expected DATABASE_URL to name a PostgreSQL server where its user may make a database, got: ${message}`),
  );
  const url = new URL(server);
  url.pathname = `/${name}`;
  let dropping;
  const drop = () => {
    dropping ??= run(`DROP DATABASE ${name} WITH (FORCE)`);
    return dropping;
  };
  return { name, url: url.href, drop };
}
