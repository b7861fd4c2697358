import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import type { QueryConfig } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { recordStatements } from "./record-statements.js";
import { readRecording } from "./recording.js";
import { Replay } from "./replay.js";
import { runtimePg } from "./runtime-pg.js";

/** Making a server takes a while on a busy machine. */
const STARTED_WITHIN_MS = 60_000;

let server: Postgres;
let folder: string;

beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  for (const database of ["recorded", "replayed"]) server.create(database);
  folder = mkdtempSync(join(tmpdir(), "replay-"));
}, STARTED_WITHIN_MS);
afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
});

it("does to an empty database what was done to the recorded one, and times the last measurement only", async () => {
  const file = join(folder, "statements");
  const recorder = recordStatements();
  const { Client } = runtimePg();
  const connect = async (options: string): Promise<InstanceType<typeof Client>> => {
    const client = new Client({ connectionString: server.url("recorded"), options });
    await client.connect();
    return client;
  };
  const [one, two] = [await connect("-c work_mem=777kB"), await connect("")];
  const insert = (values: unknown[]): QueryConfig<unknown[]> => ({
    name: "insert",
    text: "insert into kept values ($1, $2)",
    values,
  });
  await one.query("create table kept (bytes bytea primary key, by text)");
  recorder.begin();
  await one.query("select 1");
  recorder.end(1);
  recorder.begin();
  // What builds upon another connection's row has to wait for it.
  for (let n = 0; n < 5; n += 1) await two.query("select 1");
  await two.query(insert([Buffer.from([9]), "first"]));
  await one.query("insert into kept select 'late'::bytea, (1 / count(*))::text from kept where by = 'first'");
  await one.query("begin");
  await one.query(insert([Buffer.from([0, 255]), "one"]));
  await one.query("insert into kept select 'x'::bytea, current_setting('work_mem')");
  await one.query("commit");
  await two.query(insert([Buffer.from([7]), "two"]));
  await two.query(insert([Buffer.from([7]), "two"])).catch(() => undefined);
  recorder.end(6);
  recorder.write(file);
  await Promise.all([one.end(), two.end()]);

  const replay = await Replay.prepare(readRecording(file), server.url("replayed"));
  const { steps, statements, errors, different } = await replay.run();
  await replay.close();

  const rows = "select bytes, by from kept order by bytes";
  expect(server.run(rows, "replayed")).toBe(server.run(rows, "recorded"));
  expect(server.run(rows, "replayed")).toContain("777kB");
  expect({ steps, statements, errors, different }).toEqual({ steps: 6, statements: 13, errors: 0, different: 0 });
});
