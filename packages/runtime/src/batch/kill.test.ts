import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSqliteLedger } from "../stores/sqlite/index.js";
import { bundleChildProgram, type ChildProgram } from "../testing/child-program.test.support.js";

const here = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

const ITEMS = 600;
const CHUNK = 10;
const SLOTS = 4;

/**
 * A service process: a batch over ITEMS items. With \`stage\` its participant's ledger is a file of its own; with \`transaction\` each item is a row
 * of the store's own database. It says which items it begins, and then how the batch ended.
 */
const CHILD = `
import { batch } from ${here("batch.ts")};
import { createSagaManager } from ${here("../saga/saga-manager.ts")};
import { resolveConfig } from ${here("../config.ts")};
import { simulatedParticipant } from ${here("../participants/simulated.ts")};
import { createPostgresRunStore } from ${here("../stores/postgres/index.ts")};
import { createSqliteLedger, createSqliteRunStore } from ${here("../stores/sqlite/index.ts")};

const [, , kind, where, ledgerFile, work] = process.argv;
const ledger = createSqliteLedger({ file: ledgerFile });
const bank = simulatedParticipant({ name: "bank", ledger });
const said = { ...bank, perform: (target, call) => (console.log("begins " + call.key), bank.perform(target, call)) };
const rows = async ({ items, transaction }) => {
  for (const { key } of items) console.log("begins " + key);
  const keys = items.map(({ key }) => key);
  if (kind === "sqlite") await transaction((db) => {
    for (const key of keys) db.run("insert into effects (key) values (?)", [key]);
  });
  else await transaction((client) => client.query("insert into effects (key) select unnest($1::text[])", [keys]));
};
const items = Array.from({ length: ${ITEMS} }, (_, n) => n);
const definition = batch("settle", {
  source: { items }, chunkSize: ${CHUNK}, concurrency: ${SLOTS}, timeout: "1h",
  ...(work === "stage" ? { stages: [{ name: "pay", service: "bank", endpoint: "/pay" }] } : { chunk: rows }),
});
const store = kind === "sqlite" ? createSqliteRunStore({ file: where }) : createPostgresRunStore({ url: where, schema: work });
const manager = createSagaManager({
  store, definitions: [definition], participants: { bank: said }, config: resolveConfig({ recovery: { leaseMs: 400, initialDelayMs: 10 } }), pollMs: 20,
});
await manager.open();
const { id } = await manager.start("settle", {}, { idempotencyKey: "night" });
const run = await manager.wait(id, 60_000);
console.log("ended " + JSON.stringify({ status: run.status, output: run.output }));
await manager.close();
await ledger.close();
`;

let program: ChildProgram;
let server: Postgres;
beforeAll(async () => {
  [program, server] = await Promise.all([bundleChildProgram(CHILD), startPostgres({ fsync: false })]);
}, 60_000);
afterAll(async () => {
  await program.remove();
  await server.remove();
});

/** Reads what the process says until it ends, or has begun so many items: then it is killed. */
async function follow(
  child: ChildProcessWithoutNullStreams,
  killAfter: number,
  begun: string[],
): Promise<string | null> {
  let complaint = "";
  let ended: string | null = null;
  child.stderr.on("data", (chunk) => {
    complaint += String(chunk);
  });
  const closed = once(child, "close");
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("begins ")) {
      begun.push(line.slice(7));
      count += 1;
      if (count === killAfter) child.kill("SIGKILL");
    } else if (line.startsWith("ended ")) ended = line.slice(6);
  }
  const [code, signal] = await closed;
  if (signal !== "SIGKILL") expect(code, complaint).toBe(0);
  return ended;
}

async function effectsOf(kind: string, where: string, work: string, ledgerFile: string): Promise<string[]> {
  if (work === "stage") {
    const ledger = createSqliteLedger({ file: ledgerFile });
    const keys: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await ledger.list({ limit: 200, ...(cursor !== undefined && { cursor }) });
      keys.push(...page.items.map(({ stage }) => /^items\[(.*)\]\/pay$/.exec(stage)?.[1] ?? stage));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    await ledger.close();
    return keys;
  }
  if (kind === "sqlite") {
    const { openDatabase } = await import("../stores/sqlite/database.js");
    const database = openDatabase(where);
    const rows = database.all<{ key: string }>("select key from effects");
    database.close();
    return rows.map(({ key }) => key);
  }
  const client = new pg.Client({ connectionString: where });
  await client.connect();
  const { rows } = await client.query<{ key: string }>("select key from effects");
  await client.end();
  return rows.map(({ key }) => key);
}

async function prepare(kind: string, where: string): Promise<void> {
  if (kind === "sqlite") {
    const { openDatabase } = await import("../stores/sqlite/database.js");
    const database = openDatabase(where);
    database.exec("create table effects (key text)");
    return database.close();
  }
  const client = new pg.Client({ connectionString: where });
  await client.connect();
  await client.query("drop table if exists effects; create table effects (key text)");
  await client.end();
}

describe.each(["sqlite", "postgres"])("a batch in real processes on %s", (kind) => {
  it.each(["stage", "transaction"])(
    "killed three times with SIGKILL, does each item once; repeated is at most one chunk for each slot (%s)",
    async (work) => {
      const where = kind === "sqlite" ? join(program.folder, `${work}.db`) : server.url();
      const ledgerFile = join(program.folder, `${kind}-${work}-ledger.db`);
      await prepare(kind, where);
      const args = [kind, where, ledgerFile, work];
      const begun: string[] = [];
      for (const killAfter of [77, 153, 204]) expect(await follow(program.start(args), killAfter, begun)).toBeNull();
      const ended = await follow(program.start(args), Number.POSITIVE_INFINITY, begun);
      const output = { items: ITEMS, done: ITEMS, failed: 0, skipped: 0 };
      expect(JSON.parse(ended ?? "null")).toEqual({ status: "completed", output });
      const effects = await effectsOf(kind, where, work, ledgerFile);
      expect(effects).toHaveLength(ITEMS);
      expect(new Set(effects).size).toBe(ITEMS);
      const repeated = begun.length - new Set(begun).size;
      expect(repeated).toBeLessThanOrEqual(3 * SLOTS * CHUNK);
      console.info(`${kind}, ${work}: ${ITEMS} items, 3 kills, ${repeated} begun again`);
    },
    120_000,
  );
});

describe("two processes that share a batch on postgres", () => {
  it("do each item once, when one of them is killed", async () => {
    await prepare("postgres", server.url());
    const args = ["postgres", server.url(), join(program.folder, "shared-ledger.db"), "shared"];
    const begun: string[] = [];
    const ends = await Promise.all([
      follow(program.start(args), 101, begun),
      follow(program.start(args), Number.POSITIVE_INFINITY, begun),
    ]);
    expect(ends[0]).toBeNull();
    expect(JSON.parse(ends[1] ?? "null")).toMatchObject({ status: "completed", output: { items: ITEMS, done: ITEMS } });
    const effects = await effectsOf("postgres", server.url(), "shared", "");
    expect(effects).toHaveLength(ITEMS);
    expect(new Set(effects).size).toBe(ITEMS);
  }, 120_000);
});
