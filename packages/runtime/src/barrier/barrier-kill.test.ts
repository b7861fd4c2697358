import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../stores/sqlite/index.js";
import { bundleChildProgram, type ChildProgram } from "../testing/child-program.test.support.js";
import type { Barrier } from "./barrier.js";
import { step } from "./barrier-contract.test.support.js";
import { postgresBarrier, sqliteBarrier } from "./index.js";

const here = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

/** A participant that has the effect and dies: in its handler, or when the commit was acknowledged. */
const CHILD = `
import { createRequire } from "node:module";
import { postgresBarrier, sqliteBarrier } from ${here("./index.ts")};
import { openDatabase } from ${here("../stores/sqlite/index.ts")};

const [, , database, where, call, moment] = process.argv;
const die = (at) => {
  if (at === moment) process.kill(process.pid, "SIGKILL");
};
const EFFECT = "insert into effects (name) values ('pay')";
if (database === "postgres") {
  const { Pool } = createRequire(import.meta.url)("pg");
  await postgresBarrier(new Pool({ connectionString: where })).run(JSON.parse(call), async (tx) => {
    await tx.query(EFFECT);
    die("before its commit");
    return { by: "the killed one" };
  });
} else {
  await sqliteBarrier(openDatabase(where)).run(JSON.parse(call), (tx) => {
    tx.exec(EFFECT);
    die("before its commit");
    return { by: "the killed one" };
  });
}
die("after its commit");
`;

let program: ChildProgram;
let server: Postgres;
let participants = 0;
beforeAll(async () => {
  [program, server] = await Promise.all([bundleChildProgram(CHILD), startPostgres()]);
}, 60_000);
afterAll(async () => {
  await server.remove();
  await program.remove();
});

interface Participant {
  readonly where: string;
  readonly barrier: Barrier<unknown>;
  readonly have: (tx: unknown) => unknown;
  readonly count: () => Promise<number>;
  readonly close: () => void;
}

async function onPostgres(): Promise<Participant> {
  const database = `participant_${participants++}`;
  server.create(database);
  const own = new pg.Pool({ connectionString: server.url(database), max: 2 });
  await own.query("create table effects (name text)");
  const barrier = postgresBarrier(own);
  await barrier.migrate();
  return {
    where: server.url(database),
    barrier: barrier as Barrier<unknown>,
    have: async (tx) => void (await (tx as pg.PoolClient).query("insert into effects (name) values ('pay')")),
    count: async () => Number((await own.query("select count(*) as n from effects")).rows[0].n),
    close: () => void own.end(),
  };
}

async function onSqlite(): Promise<Participant> {
  const file = join(program.folder, `participant-${participants++}.db`);
  const db = openDatabase(file);
  db.exec("create table effects (name text)");
  const barrier = sqliteBarrier(db);
  await barrier.migrate();
  return {
    where: file,
    barrier: barrier as Barrier<unknown>,
    have: () => db.exec("insert into effects (name) values ('pay')"),
    count: async () => db.all("select name from effects").length,
    close: () => db.close(),
  };
}

describe.each([
  ["postgres", onPostgres],
  ["sqlite", onSqlite],
] as const)("a participant on %s that is killed after its effect", (database, start) => {
  it.each([
    { moment: "before its commit", left: 0, answer: { by: "the next one" } },
    { moment: "after its commit", left: 1, answer: { by: "the killed one" } },
  ])("and $moment leaves $left effects, and one when the call comes again", async ({ moment, left, answer }) => {
    const { where, barrier, have, count, close } = await start();
    const child = program.start([database, where, JSON.stringify(step("pay")), moment]);
    let complaint = "";
    child.stderr.on("data", (chunk) => {
      complaint += String(chunk);
    });
    const [, signal] = await once(child, "close");
    expect(signal, complaint).toBe("SIGKILL");
    expect(await count()).toBe(left);
    const act = (tx: unknown): unknown => {
      const done = have(tx);
      return done instanceof Promise ? done.then(() => ({ by: "the next one" })) : { by: "the next one" };
    };
    // PostgreSQL may not have noticed yet: then the call waits for the dead one's row.
    expect(await barrier.run(step("pay"), act)).toEqual(answer);
    expect(await count()).toBe(1);
    close();
  });
});
