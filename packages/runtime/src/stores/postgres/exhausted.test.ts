import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveConfig } from "../../config.js";
import { saga } from "../../saga/builder.js";
import type { SagaManager } from "../../saga/manager.js";
import { createSagaManager } from "../../saga/saga-manager.js";
import { createPostgresRunStore } from "./run-store.js";

/** A server that answers and cannot take what it is given: runs wait, health says so, and they go on when there is room. */

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
}, 60_000);
afterAll(() => server?.remove());

interface Bench {
  readonly manager: SagaManager;
  /** Names of the runs whose steps had their effect, with the step's key. */
  readonly effects: string[];
  /** Lets the first step of every run end. */
  readonly proceed: () => void;
}

/** A service's runs on `url`, two of them between their first and their second row. */
async function bench(url: string, body: (bench: Bench) => Promise<void>): Promise<void> {
  const effects: string[] = [];
  let proceed = (): void => {};
  const held = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  const definition = saga<{ name: string; bulk?: string }>("s")
    .step("first", {
      run: async ({ input, idempotencyKey }) => {
        effects.push(`${input.name} ${idempotencyKey}`);
        await held;
      },
    })
    .step("second", { run: () => 2 })
    .build();
  const manager = createSagaManager({
    store: createPostgresRunStore({ url, connectTimeoutMs: 1_000 }),
    ...{ definitions: [definition], participants: {}, config: resolveConfig({}), pollMs: 50 },
  });
  await manager.open();
  try {
    await body({ manager, effects, proceed });
  } finally {
    await manager.close(0);
  }
}

/** `exhaust` leaves no room; `relieve` makes it. */
async function waitsAndGoesOn(url: string, exhaust: () => Promise<void>, relieve: () => Promise<void>): Promise<void> {
  await bench(url, async ({ manager, effects, proceed }) => {
    const runs = await Promise.all(["a", "b"].map((name) => manager.start("s", { name })));
    await expect.poll(() => effects.length).toBe(2);
    expect(await manager.health()).toMatchObject({ ok: true, store: "up" });
    await exhaust();
    proceed();
    // Too large for what its tables have left.
    const late = manager.start("s", { name: "late", bulk: randomBytes(20_000).toString("base64") });
    await expect.poll(() => manager.health(), { timeout: 15_000 }).toMatchObject({ ok: false, store: "down" });
    const { detail } = await manager.health();
    expect(detail).toMatch(/expected PostgreSQL to answer, got: .*(No space left|too many connections)/);
    await relieve();
    for (const { id } of [...runs, await late])
      expect(await manager.wait(id, 15_000)).toMatchObject({ status: "completed", output: 2 });
    // Under its key, should a step have been tried again: the lease may have run out meanwhile.
    expect(new Set(effects).size).toBe(3);
    await expect.poll(() => manager.health()).toMatchObject({ ok: true, store: "up", worker: "active" });
  });
}

it("waits while the server has no connection left for it", async () => {
  server.run("create role app login; create database connections owner app");
  const url = server.url("connections").replace("postgres@", "app@");
  const limit = (count: number) => server.run(`alter role app connection limit ${count}`);
  await waitsAndGoesOn(
    url,
    async () => {
      limit(0);
      server.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'clean-arch%'");
    },
    async () => void limit(-1),
  );
});

it("waits while the server says that its disk is full", async () => {
  server.create("refusing");
  const refuse = `create function clean_arch.refuse() returns trigger language plpgsql as
    $$ begin raise exception using errcode = '53100', message = 'could not extend file: No space left on device'; end $$`;
  const tables = ["journal", "runs", "workers"];
  const sql = (make: (table: string) => string) => server.run(tables.map(make).join(";"), "refusing");
  await waitsAndGoesOn(
    server.url("refusing"),
    async () => {
      server.run(refuse, "refusing");
      sql(
        (table) =>
          `create trigger refuse before insert or update on clean_arch.${table} execute function clean_arch.refuse()`,
      );
    },
    async () => void sql((table) => `drop trigger refuse on clean_arch.${table}`),
  );
});

describe("a disk that is full", () => {
  let folder: string;
  let mounted = false;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "small-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], { stdio: "pipe" });
      mounted = true;
      const { uid, gid } = statSync(server.dataFolder);
      chownSync(folder, uid, gid);
    } catch {
      console.info("skipped: a small disk can only be mounted by root");
    }
  });
  afterAll(() => {
    if (mounted) execFileSync("umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("makes runs wait, and loses none of them", async () => {
    if (!mounted) return;
    server.run(`create tablespace small location '${folder}'`);
    server.run("create database small tablespace small");
    server.run("create table filler (bytes text); alter table filler alter bytes set storage external", "small");
    await waitsAndGoesOn(
      server.url("small"),
      async () => {
        const fill =
          "loop insert into filler select repeat('x', 1000000); end loop; exception when disk_full then null;";
        server.run(`do $$ begin ${fill} end $$`, "small");
      },
      async () => void server.run("drop table filler", "small"),
    );
    server.run("drop database small with (force)");
    server.run("drop tablespace small");
  });
});
