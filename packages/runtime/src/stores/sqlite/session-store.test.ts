import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createManualClock } from "../../testing/manual-clock.js";
import { context, create, hash, idOf, load, login, rotation } from "../../testing/session-store/world.js";
import { sessionStoreContract } from "../../testing/session-store-contract.js";
import { openDatabase } from "./database.js";
import { migrate } from "./migrate.js";
import { SESSION_MIGRATIONS } from "./session-schema.js";
import { createSqliteSessionStore } from "./session-store.js";

sessionStoreContract("sqlite", { open: openTemporary });

it("carries contexts over from the first schema, and no login: their tokens lead nowhere", async () => {
  const folder = await mkdtemp(join(tmpdir(), "session-store-"));
  const file = join(folder, "test.db");
  const clock = createManualClock();
  const now = clock.now();
  const db = openDatabase(file);
  const store = createSqliteSessionStore({ file, clock });
  try {
    migrate(db, "sessions", SESSION_MIGRATIONS.slice(0, 1), now);
    const insert = `insert into clean_arch_sessions
      (id, kind, token_hash, subject, epoch, data, revision, created_at, touched_at, idle_ms, expires_at, absolute_expires_at)
      values (?, ?, ?, ?, ?, ?, 7, ?, ?, 1000, ?, ?)`;
    db.run(insert, ["run:1", "context", null, null, 0, '{"n":1}', now - 500, now - 100, now + 900, null]);
    db.run(insert, ["old", "login", hash("old"), "s", 0, "{}", now, now, now + 1_000, now + 10_000]);
    db.run(insert, ["anonymous", "login", hash("anonymous"), null, 0, "{}", now, now, now + 1_000, now + 10_000]);
    db.run("insert into clean_arch_session_epochs (subject, epoch, started_at) values ('s', 1, ?)", [now]);
    await store.open();
    expect(await store.loadById("run:1")).toEqual({
      ...{ id: "run:1", kind: "context", subject: null, data: { n: 1 }, revision: 7, idleMs: 1_000 },
      ...{ createdAt: now - 500, touchedAt: now - 100, rotatedAt: now - 500, expiresAt: now + 900 },
      ...{ absoluteExpiresAt: null, signIn: null, device: null, owner: null },
    });
    expect(await store.commit("run:1", { set: { m: 2 } }, { owner: "i1" })).toMatchObject({ data: { n: 1, m: 2 } });
    for (const id of ["old", "anonymous"]) expect(await load(store, id, id)).toBeUndefined();
    expect((await store.list({ limit: 10 })).items).toEqual([]);
    expect(await store.revokeSubject("s")).toBe(0);
    await create(store, login("a", { subject: "s" }));
    expect(await load(store, idOf("a", "s"), "a")).toBeDefined();
    const tables = db.all<{ name: string }>("select name from sqlite_master where type = 'table' order by name");
    expect(tables.map(({ name }) => name)).toEqual([
      "clean_arch_migrations",
      "clean_arch_session_owners",
      "clean_arch_sessions",
    ]);
  } finally {
    await store.close();
    db.close();
    await rm(folder, { recursive: true });
  }
});

it("forgets an owner without a lease once it has no context, expired or not", async () => {
  const { store, file, advance, close } = await openTemporary();
  const db = openDatabase(file);
  try {
    const known = () =>
      db.all<{ owner: string }>("select owner from clean_arch_session_owners order by owner").map(({ owner }) => owner);
    await create(store, context("run:1", { owner: "dead", idleMs: 10 }));
    for (const owner of ["dead", "gone", "alive"]) await store.renewOwner(owner, owner === "alive" ? 1_000 : 10, 0);
    advance(10);
    await store.renewOwner("new", 1_000, 0);
    expect(known()).toEqual(["alive", "dead", "new"]);
    await store.settle(await store.sweep(10, 1));
    await store.renewOwner("new", 1_000, 0);
    expect(known()).toEqual(["alive", "new"]);
  } finally {
    db.close();
    await close();
  }
});

it("a read writes nothing, and neither does a renewal before a tenth of the idle time", async () => {
  const { store, file, advance, close } = await openTemporary();
  const db = openDatabase(file);
  try {
    const version = () =>
      JSON.stringify(db.all("select id, touched_at, expires_at, revision from clean_arch_sessions"));
    await create(store, login("a"));
    await create(store, context("run:1", { owner: "i1" }));
    await store.renewOwner("i1", 1_000, 10);
    const before = version();
    advance(99);
    await load(store, idOf("a"), "a", true);
    await store.renewOwner("i1", 1_000, 10);
    expect(version()).toBe(before);
    advance(1);
    await store.renewOwner("i1", 1_000, 10);
    expect(version()).not.toBe(before);
  } finally {
    db.close();
    await close();
  }
});

it("keeps no token, only hashes, and of old ones a part", async () => {
  const { store, file, close } = await openTemporary();
  const db = openDatabase(file);
  try {
    await create(store, login("a", { tokenHash: hash("secret-0") }));
    for (let n = 0; n < 3; n += 1)
      await store.rotate(idOf("a"), rotation(`secret-${n}`, `secret-${n + 1}`, 100, { seed: `seed-${n}` }));
    const [row] = db.all<{ tokens: string }>("select tokens from clean_arch_sessions");
    expect(JSON.parse(row?.tokens ?? "")).toMatchObject({
      current: hash("secret-3"),
      previous: { hash: hash("secret-2"), seed: "seed-2" },
      retired: [hash("secret-1").slice(0, 24), hash("secret-0").slice(0, 24)],
    });
    expect(row?.tokens).not.toContain("secret");
  } finally {
    db.close();
    await close();
  }
});

it("finds sessions by index: by id, subject, kind, owner and what is due", async () => {
  const { file, close } = await openTemporary();
  const db = openDatabase(file);
  try {
    const plan = (sql: string) =>
      db
        .all<{ detail: string }>(`explain query plan ${sql}`)
        .map(({ detail }) => detail)
        .join("; ");
    const select = (where: string) => plan(`select id, data from clean_arch_sessions where ${where}`);
    const paths = [
      ["sqlite_autoindex_clean_arch_sessions_1", select("id = 'a' and expires_at > 1")],
      [
        "clean_arch_sessions_subject",
        select(
          "subject = 'a' and kind = 'login' and expires_at > 1 order by created_at desc, id desc limit -1 offset 2",
        ),
      ],
      ["clean_arch_sessions_subject", plan("delete from clean_arch_sessions where subject = 'a' and expires_at > 1")],
      [
        "clean_arch_sessions_kind",
        select("expires_at > 1 and kind = 'login' and (created_at, id) < (1, 'a') order by created_at desc, id desc"),
      ],
      [
        "clean_arch_sessions_due",
        select("max(expires_at, claimed_until) <= 1 order by max(expires_at, claimed_until) limit 3"),
      ],
      ["clean_arch_sessions_owner", select("owner = 'i1' and expires_at > 1")],
      [
        "clean_arch_session_owners_lease",
        plan(`select s.id from clean_arch_session_owners o cross join clean_arch_sessions s on s.owner = o.owner
              where o.lease_expires_at <= 1 and s.expires_at > 1 limit 3`),
      ],
    ] as const;
    for (const [index, found] of paths) {
      expect(found).toMatch(new RegExp(`USING (COVERING )?INDEX ${index}`));
      expect(found).not.toMatch(/SCAN|TEMP B-TREE/);
    }
  } finally {
    db.close();
    await close();
  }
});

async function openTemporary() {
  const folder = await mkdtemp(join(tmpdir(), "session-store-"));
  const file = join(folder, "test.db");
  const clock = createManualClock();
  const store = createSqliteSessionStore({ file, clock });
  const peer = createSqliteSessionStore({ file, clock });
  await store.open();
  await peer.open();
  const closeBoth = async (): Promise<void> => {
    await store.close();
    await peer.close();
  };
  return {
    ...{ store, peer, file, advance: clock.advance },
    async reopen() {
      await closeBoth();
      await store.open();
      return store;
    },
    async close() {
      await closeBoth();
      await rm(folder, { recursive: true });
    },
  };
}
