import { chownSync, statSync } from "node:fs";
import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import { afterAll, beforeAll, it } from "vitest";
import { expectToWaitForRoom } from "../../testing/exhausted-store.test.support.js";
import { mountSmallDisk } from "../../testing/small-disk.test.support.js";
import { createPostgresRunStore } from "./run-store.js";

/** A server that answers and cannot take what it is given. */

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
}, 60_000);
afterAll(() => server?.remove());

const storeOn = (url: string) => createPostgresRunStore({ url, connectTimeoutMs: 1_000 });
const said = (what: string): RegExp => new RegExp(`expected PostgreSQL to answer, got: .*${what}`);

it("waits while the server has no connection left for it", async () => {
  server.run("create role app login; create database connections owner app");
  const limit = (count: number): void => void server.run(`alter role app connection limit ${count}`);
  await expectToWaitForRoom({
    store: storeOn(server.url("connections").replace("postgres@", "app@")),
    reason: said("too many connections"),
    exhaust() {
      limit(0);
      server.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'clean-arch%'");
    },
    relieve: () => limit(-1),
  });
});

it("waits while the server says of every write that its disk is full", async () => {
  server.create("refusing");
  const onEach = (sql: (table: string) => string): void =>
    void server.run(["journal", "runs", "workers"].map((table) => sql(`clean_arch.${table}`)).join(";"), "refusing");
  await expectToWaitForRoom({
    store: storeOn(server.url("refusing")),
    reason: said("No space left"),
    exhaust() {
      const raise = "raise exception using errcode = '53100', message = 'No space left on device'";
      server.run(`create function refuse() returns trigger language plpgsql as $$ begin ${raise}; end $$`, "refusing");
      onEach((table) => `create trigger refuse before insert or update on ${table} execute function public.refuse()`);
    },
    relieve: () => onEach((table) => `drop trigger refuse on ${table}`),
  });
});

it("waits while the disk of its tables is full", async () => {
  const disk = mountSmallDisk(24);
  if (disk === null) return;
  try {
    const { uid, gid } = statSync(server.dataFolder);
    chownSync(disk.folder, uid, gid);
    server.run(`create tablespace small location '${disk.folder}'`);
    server.run("create database small tablespace small");
    await expectToWaitForRoom({
      ...{
        store: storeOn(server.url("small")),
        reason: said("No space left"),
        exhaust: disk.fill,
        relieve: disk.clear,
      },
    });
    server.run("drop database small with (force)");
    server.run("drop tablespace small");
  } finally {
    disk.remove();
  }
});
