/** What is tested on SQLite, on PostgreSQL: entities, migrations, and the service as a whole. */
import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import { afterAll, describe } from "vitest";

const server: Postgres = await startPostgres({ fsync: false });
process.env.TEST_DATABASE_URL = server.url();
afterAll(() => server.remove());

const onPostgres: Readonly<Record<string, () => Promise<unknown>>> = {
  lifecycle: () => import("../integration/lifecycle.test.js"),
  repositories: () => import("./repository.test.js"),
  entities: () => import("./entities-http.test.js"),
  migrations: () => import("../integration/migrations.test.js"),
  "an entity": () => import("../integration/bound-volume-crud.test.js"),
  references: () => import("../integration/shelf-mark-crud.test.js"),
  runs: () => import("../integration/runs.test.js"),
  events: () => import("./events.test.js"),
  handlers: () => import("./handled-events.test.js"),
  maps: () => import("./maps-http.test.js"),
  batches: () => import("./batches-http.test.js"),
  schedules: () => import("./schedules-http.test.js"),
  seeding: () => import("../integration/seeding.test.js"),
};

// A suite for each, so that each file's hooks are its own.
for (const [name, load] of Object.entries(onPostgres)) describe(`on PostgreSQL, ${name}`, () => load().then(() => {}));
