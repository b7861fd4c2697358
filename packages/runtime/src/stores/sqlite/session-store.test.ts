import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { NewSession } from "../../store/session-store.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { sessionStoreContract } from "../../testing/session-store-contract.js";
import { openDatabase } from "./database.js";
import { createSqliteSessionStore } from "./session-store.js";

sessionStoreContract("sqlite", { open: openTemporary });

it("a creation that began before all sessions of its subject ended gives a session that is dead already", async () => {
  const { store, file, advance, close } = await openTemporary();
  const db = openDatabase(file);
  try {
    // As another process leaves it whose revocation got the file's lock before this creation did.
    await store.create(session("late"));
    await store.revokeSubject("s");
    await store.create(session("late"));
    db.run("update clean_arch_sessions set epoch = 0 where id = ?", ["late"]);

    expect(await store.loadById("late")).toBeUndefined();
    expect(await store.load("hash of late", { touch: true })).toBeUndefined();
    expect(await store.commit("late", { set: { a: 1 } })).toBe("not-found");
    expect(await store.rotate("hash of late", "another hash", 1_000)).toBe("not-found");
    expect(await store.revoke("late")).toBe(false);
    expect(await store.revokeSubject("s")).toBe(0);
    expect((await store.list({ subject: "s", limit: 10 })).items).toEqual([]);
    advance(1_000);
    expect(await store.sweep(10)).toEqual([]);
    expect(db.all("select id from clean_arch_sessions")).toEqual([]);
  } finally {
    db.close();
    await close();
  }
});

it("forgets the epoch of a subject a day later, once it has no session", async () => {
  const { store, file, advance, close } = await openTemporary();
  const db = openDatabase(file);
  try {
    const epochs = () =>
      db.all<{ subject: string }>("select subject from clean_arch_session_epochs").map(({ subject }) => subject);
    await store.revokeSubject("gone");
    await store.revokeSubject("s");
    await store.create(session("a"));
    const reopen = async () => {
      await store.close();
      await store.open();
    };
    advance(86_400_000);
    await reopen();
    expect(epochs()).toEqual(["gone", "s"]);
    advance(1);
    await reopen();
    expect(epochs()).toEqual(["s"]);
  } finally {
    db.close();
    await close();
  }
});

it("finds sessions by index: by token, previous token, subject and deadline", async () => {
  const { file, close } = await openTemporary();
  const db = openDatabase(file);
  try {
    const plan = (where: string) =>
      db
        .all<{ detail: string }>(`explain query plan select id from clean_arch_sessions where ${where}`)
        .map(({ detail }) => detail)
        .join("; ");
    for (const where of [
      "token_hash = 'a' or previous_token_hash = 'a'",
      "subject = 'a' order by created_at desc",
      "expires_at <= 1 order by expires_at",
    ]) {
      expect(plan(where)).toMatch(/USING (COVERING )?INDEX/);
      expect(plan(where)).not.toMatch(/SCAN|TEMP B-TREE/);
    }
  } finally {
    db.close();
    await close();
  }
});

function session(id: string): NewSession {
  return { id, kind: "login", tokenHash: `hash of ${id}`, subject: "s", data: {}, idleMs: 1_000, absoluteMs: 1_000 };
}

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
