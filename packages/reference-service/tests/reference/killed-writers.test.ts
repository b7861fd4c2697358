/**
 * Processes that change entities and are killed in the middle of it: what was committed was told, and nothing else was. On
 * SQLite; the PostgreSQL store reads files that a bundle does not have, and there the server, not the process, commits.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type EventStore, readCloudEvent } from "@clean-arch/runtime";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsOf } from "../../src/infrastructure/messaging/events.js";
import { createRunStore } from "../../src/infrastructure/session/run-store.js";
import { startService } from "../integration/service.js";

const KILLS = 3;
/** Of the outbox. Were there more, this test would miss events. */
const SHARDS = 16;
const here = (path: string): string => JSON.stringify(fileURLToPath(new URL(`../../src/${path}`, import.meta.url)));

/** Creates, changes and deletes without an end, four at a time, and says that it has begun. */
const CHILD = `
import { useCasesFrom } from ${here("application/use-cases/use-cases.generated.ts")};
import { createOutbox } from ${here("infrastructure/messaging/outbox.ts")};
import { publishedTables } from ${here("infrastructure/messaging/published-tables.generated.ts")};
import { openDatabase } from ${here("infrastructure/persistence/database.ts")};
import { repositoriesOn } from ${here("infrastructure/persistence/repositories.ts")};
import { createUuidV7 } from ${here("infrastructure/persistence/uuid-v7.ts")};
import { createRunStore } from ${here("infrastructure/session/run-store.ts")};

const settings = { name: "child", database: JSON.parse(process.argv[2]) };
const logger = { debug() {}, info() {}, warn() {}, error: console.error };
const database = await openDatabase(settings, logger);
const store = createRunStore(settings);
await store.open();
const { tellerOn } = createOutbox({ store: store.events, tables: publishedTables, name: "child" });
const clock = { now: Date.now };
const { boundVolume } = useCasesFrom(repositoriesOn(database.opened, tellerOn), { clock, newId: createUuidV7(clock) });
let n = Number(process.argv[3]);
async function write() {
  for (;;) {
    const callNumber = "AB-" + String(n++).padStart(4, "0");
    const { id } = await boundVolume.create({ title: "x", callNumber, pageCount: 1, price: "1" });
    if (n % 20 === 0) console.log("at work");
    await boundVolume.update(id, { pageCount: 2 });
    if (n % 3 === 0) await boundVolume.delete(id);
  }
}
await Promise.all([write(), write(), write(), write()]);
`;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "killed-writers-"));
  writeFileSync(join(folder, "child.ts"), CHILD);
  const output = { ssr: join(folder, "child.ts"), outDir: folder, emptyOutDir: false, minify: false, target: "node20" };
  await build({
    ...{ configFile: false, logLevel: "error", root: folder, build: output },
    ssr: { noExternal: true, external: ["libsql", "pg-native"], resolve: { conditions: ["source", "node"] } },
  });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

function startChild(database: object, first: number): ChildProcess {
  // The bundle lies outside of the repository; the driver is found where this file finds it.
  const modules = join(dirname(createRequire(import.meta.url).resolve("libsql")), "..");
  const args = [join(folder, "child.mjs"), JSON.stringify(database), String(first)];
  return spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_PATH: modules },
  });
}

/** What the events say of each entity: its revision; none of one that was deleted. */
async function toldBy(events: EventStore): Promise<ReadonlyMap<string, number>> {
  const told = new Map<string, number>();
  for (let shard = 0; shard < SHARDS; shard += 1) {
    let after: string | null = null;
    for (;;) {
      const page = await events.read(shard, after, 500);
      for (const { event } of page) {
        const { type, subject = "", data } = readCloudEvent(event.body);
        const { revision } = data as { readonly revision?: number };
        // In the order of its changes.
        expect(told.get(subject) ?? 0).toBe((revision ?? 3) - 1);
        if (type.endsWith("deleted")) told.delete(subject);
        else told.set(subject, revision ?? 0);
      }
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.position;
    }
  }
  return told;
}

test("of writers that are killed, what was committed is told, and nothing else", async () => {
  const service = await startService();
  const store = createRunStore(service.settings);
  await store.open();
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = startChild(service.settings.database, kill * 1_000);
      const exited = once(child, "exit");
      // Somewhere in the middle of some statement, another one each time.
      if (child.stdout !== null)
        for (let i = 0; i <= kill; i += 1) await Promise.race([once(child.stdout, "data"), exited]);
      child.kill("SIGKILL");
      await exited;
    }
    const told = await toldBy(eventsOf(store));
    const { boundVolume } = service.container.application.useCases;
    const rows = new Map<string, number>();
    for (let after: string | null = null; ; ) {
      const page = await boundVolume.list({ limit: 200, after });
      for (const { id, revision } of page.items) rows.set(id, revision);
      after = page.next;
      if (after === null) break;
    }
    expect(rows.size).toBeGreaterThan(KILLS * 10);
    expect(told).toEqual(rows);
  } finally {
    await store.close();
    await service.close();
  }
}, 60_000);
