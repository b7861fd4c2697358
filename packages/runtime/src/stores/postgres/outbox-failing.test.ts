import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { shardOf } from "../../store/event-shard.js";
import { type EventStore, SHARDS } from "../../store/event-store.js";
import { eventsOf, GROUP, idsIn, leaseOf, newEvent, newEvents, readAll } from "../../testing/event-store/harness.js";
import { appendOne, claimNew, nextAppend } from "../../testing/run-store-contract/harness.js";
import { createPostgresRunStore } from "./run-store.js";

/** Each test has a server of its own, for it is killed. */

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve() {
  const server = await startPostgres();
  closing.push(() => server.remove());
  const store = createPostgresRunStore({ url: server.url(), connectTimeoutMs: 1_000 });
  closing.push(() => store.close());
  await store.open();
  return { server, store, events: eventsOf(store) };
}

/** Asks until the answer is not that the store is unavailable. */
async function answered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if ((error as { code?: string }).code !== "store-unavailable") throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** The server's processes notice it by and by, and the next server waits for the last of them. */
async function startAgain(server: Postgres): Promise<void> {
  for (;;) {
    try {
      return await server.start();
    } catch (error) {
      if (!String(error).includes("shared memory")) throw error;
    }
  }
}

/** As a standby that is promoted: the server ends its recovery on a timeline of its own. */
function promote({ dataFolder }: Postgres): void {
  writeFileSync(join(dataFolder, "recovery.signal"), "");
  writeFileSync(join(dataFolder, "postgresql.auto.conf"), "restore_command = 'false'\n");
}

/** With the owner and the rights of each file: the server refuses others. */
function copyFolder(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync("cp", ["-a", from, to]);
}

const SHARD = shardOf("order-1");

describe("a server that is killed under load", () => {
  const RUNS = 8;
  const KILLS = 3;

  it("loses no event of an acknowledged row, and shows none of one that is not there", async () => {
    const { server, store, events } = await serve();
    const runs = await claimNew(store, "w", RUNS);
    const pool = new pg.Pool({ connectionString: server.url() });
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    closing.push(() => pool.end());
    const acknowledged = new Set<string>();
    let working = true;
    const append = async (n: number): Promise<void> => {
      for (let run = runs[n] ?? expect.fail(); working; run = { ...run, seq: run.seq + 1 }) {
        const id = `${run.id}/${run.seq + 1}`;
        const row = nextAppend(run, { events: [{ ...newEvent(0, { key: run.id }), id }] });
        const result = await answered(() => appendOne(store, row));
        expect(result).toMatchObject({ kind: "appended" });
        acknowledged.add(id);
      }
    };
    const rollBack = async (): Promise<void> => {
      for (let n = 0; working; n++) {
        const client = await pool.connect().catch(() => undefined);
        try {
          await client?.query("begin");
          await events.putWithin(client, [{ ...newEvent(0), id: `rolled back/${n}` }]);
          await client?.query("rollback");
          client?.release();
        } catch {
          client?.release(true);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const work = [...runs.map((_, n) => append(n)), rollBack()];
    for (let kill = 1; kill <= KILLS; kill++) {
      const before = acknowledged.size;
      while (acknowledged.size < before + 100) await new Promise((resolve) => setImmediate(resolve));
      process.kill(server.pid ?? expect.fail(), "SIGKILL");
      await server.stop();
      await startAgain(server);
    }
    working = false;
    await Promise.all(work);
    const found = await idsIn(events);
    expect(new Set(found).size).toBe(found.length);
    expect([...acknowledged].filter((id) => !found.includes(id))).toEqual([]);
    const rows = await Promise.all(runs.map(({ id }) => store.journal(id)));
    expect([...found].sort()).toEqual(
      rows
        .flat()
        .map(({ run, seq }) => `${run}/${seq}`)
        .sort(),
    );
    for (const { id } of runs) {
      const numbers = found.filter((each) => each.startsWith(id)).map((each) => Number(each.split("/")[1]));
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
  });
});

it("lets nobody take shards over until the server has been up for the length of their lease", async () => {
  const LEASE_MS = 2_000;
  const { server, events } = await serve();
  const held = await events.lease(GROUP, "old", LEASE_MS);
  expect(held.length).toBe(SHARDS);
  await server.stop("immediate");
  await server.start();
  let taken = await answered(() => events.lease(GROUP, "new", LEASE_MS));
  while (taken.length === 0) taken = await events.lease(GROUP, "new", LEASE_MS);
  const upMs = server.run("select extract(epoch from clock_timestamp() - pg_postmaster_start_time()) * 1000");
  expect(Number(upMs)).toBeGreaterThanOrEqual(LEASE_MS);
  for (const lease of held) expect(await events.advance(GROUP, lease, null, null)).toBe(false);
});

describe("a standby that takes over", () => {
  async function readOne(events: EventStore): Promise<void> {
    const lease = await leaseOf(events, SHARD, "member");
    const [next] = await events.read(SHARD, lease.position, 1);
    expect(await events.advance(GROUP, lease, next?.position ?? null, next?.event.id ?? null)).toBe(true);
  }

  it("fences every holder off, and drops no event", async () => {
    const { server, events } = await serve();
    await events.put(newEvents(1, 3));
    await readOne(events);
    const old = await leaseOf(events, SHARD, "member");
    const last = (await readAll(events, SHARD)).at(-1)?.position ?? null;
    await server.stop("fast");
    promote(server);
    await server.start();
    expect(await answered(() => events.advance(GROUP, old, last, "stale"))).toBe(false);
    const lease = await leaseOf(events, SHARD, "member");
    expect(lease).toEqual({ ...old, fence: expect.any(Number) });
    expect(lease.fence).toBeGreaterThan(old.fence);
    await answered(() => events.put([newEvent(4)]));
    expect((await readAll(events, SHARD, lease.position)).map(({ event }) => event.id)).toEqual([
      "event-2",
      "event-3",
      "event-4",
    ]);
    expect(await events.advance(GROUP, lease, last, "new")).toBe(true);
  });

  it("without the last that the old server had takes no position of that one for its own", async () => {
    const { server, events } = await serve();
    await events.put(newEvents(1, 2));
    await readOne(events);
    await server.stop("fast");
    const standby = `${server.dataFolder}-standby`;
    copyFolder(server.dataFolder, standby);
    await server.start();
    // These never reach the standby, nor that somebody was given the shard and has read them.
    await answered(() => events.put(newEvents(3, 40)));
    await events.release(GROUP, "member");
    const old = await leaseOf(events, SHARD, "other");
    const lost = (await readAll(events, SHARD)).at(-1)?.position ?? null;
    await server.stop("fast");
    copyFolder(standby, server.dataFolder);
    promote(server);
    await server.start();
    // By counting alone the new server comes to the same fence.
    await answered(() => events.release(GROUP, "member"));
    expect(await leaseOf(events, SHARD, "third")).toMatchObject({ note: "event-1" });
    expect(await events.advance(GROUP, old, lost, "of events that are not there")).toBe(false);
    await events.put([newEvent(50)]);
    const { position } = await leaseOf(events, SHARD, "third");
    expect((await readAll(events, SHARD, position)).map(({ event }) => event.id)).toEqual(["event-2", "event-50"]);
  });
});
