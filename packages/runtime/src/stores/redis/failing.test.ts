import { type FaultyProxy, type Redis, startFaultyProxy, startRedis } from "@clean-arch/test-servers";
import { describe, expect, it, onTestFinished } from "vitest";
import { create, hash, idOf, login } from "../../testing/session-store/world.js";
import { openSessions } from "./own-prefix.test.support.js";
import { answers, until } from "./until.test.support.js";

const UNAVAILABLE = { code: "store-unavailable" };
const a = idOf("a");
/** Of real time: a busy machine must not let a session expire in a test that is about something else. */
const LONG = { idleMs: 600_000, absoluteMs: 600_000 };

describe("a Redis that is killed", () => {
  it.each(["everysec", "always"] as const)("loses no acknowledged write with appendfsync %s", async (persistence) => {
    const { server, store } = await setUp({ persistence });
    const acknowledged: string[] = [];
    let running = true;
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; running; n += 1) {
        const name = `w${writer}-${n}`;
        try {
          await create(store, login(name, { subject: `s${writer}`, ...LONG }));
          if (n % 3 === 0) await store.commit(idOf(name, `s${writer}`), { set: { n } });
          acknowledged.push(name);
        } catch {
          return;
        }
      }
    };
    const writers = Promise.all(Array.from({ length: 8 }, (_, n) => write(n)));
    await until(async () => acknowledged.length > 200);
    await server.kill();
    running = false;
    await writers;
    await server.start();
    await until(() => answers(store));
    for (const name of acknowledged) {
      const [, writer, n] = /^w(\d+)-(\d+)$/.exec(name) as unknown as [string, string, string];
      const found = await store.loadById(idOf(name, `s${writer}`));
      expect(found, name).toMatchObject(
        Number(n) % 3 === 0 ? { data: { n: Number(n) }, revision: 2 } : { revision: 1 },
      );
    }
    // The index and the epoch came back with them: all of a subject's sessions can be ended.
    const ofFirst = acknowledged.filter((name) => name.startsWith("w0-"));
    expect(await store.revokeSubject("s0")).toBeGreaterThanOrEqual(ofFirst.length);
    for (const name of ofFirst) expect(await store.loadById(idOf(name, "s0"))).toBeUndefined();
  });

  it("is empty without persistence, and its sessions are none, not errors", async () => {
    const { server, store } = await setUp({ persistence: "none" });
    await create(store, login("a", { subject: "s", ...LONG }));
    await server.kill();
    await expect(store.loadById(idOf("a", "s"))).rejects.toMatchObject(UNAVAILABLE);
    await server.start();
    await until(() => answers(store));
    expect(await store.loadById(idOf("a", "s"))).toBeUndefined();
    expect(await store.commit(idOf("a", "s"), { set: { a: 1 } })).toBe("not-found");
    // Its scripts are gone as well, and are sent again.
    await create(store, login("b", { subject: "s" }));
  });

  it("refuses at once while it is away, and works again without anybody's help", async () => {
    const { server, store } = await setUp();
    await create(store, login("a", LONG));
    await server.kill();
    await expect(store.load(a, hash("a"), { touch: true })).rejects.toMatchObject(UNAVAILABLE);
    const startedAt = performance.now();
    for (let n = 0; n < 20; n += 1) await expect(store.ping()).rejects.toMatchObject(UNAVAILABLE);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await server.start();
    await until(() => answers(store));
    await create(store, login("b"));
  });
});

describe("a Redis that does not answer", () => {
  it("is given up after the timeout, then refused at once, until it answers again", async () => {
    const { server, store } = await setUp({}, { commandTimeoutMs: 200 });
    await create(store, login("a", LONG));
    server.pause();
    await expect(store.loadById(a)).rejects.toMatchObject(UNAVAILABLE);
    server.resume();
    await until(() => answers(store));
    expect(await store.loadById(a)).toBeDefined();
  });

  it("is left for a new connection when the old one is half open", async () => {
    const { store, proxy } = await setUp({}, { commandTimeoutMs: 200 });
    await create(store, login("a", LONG));
    proxy.silence();
    await expect(store.loadById(a)).rejects.toMatchObject(UNAVAILABLE);
    await until(() => answers(store));
    expect(await store.loadById(a)).toBeDefined();
    expect(proxy.counts.connections).toBeGreaterThan(1);
  });
});

describe("a reply that is lost", () => {
  it.each(["reset", "silence"] as const)(
    "after the change was made is unavailable, and nothing is sent again (%s)",
    async (ending) => {
      const { store, proxy, server } = await setUp({}, { commandTimeoutMs: 200 });
      await create(store, login("a", LONG));
      await store.commit(a, { set: { n: 0 } });
      proxy.swallow({ request: (chunk) => chunk.includes("evalsha"), ending });
      await expect(store.commit(a, { set: { n: 1 } })).rejects.toMatchObject(UNAVAILABLE);
      await until(() => answers(store));
      expect(proxy.counts.swallowed).toBe(1);
      expect(await store.loadById(a)).toMatchObject({ data: { n: 1 }, revision: 3 });
      expect(await server.command("DBSIZE")).not.toBe("0");
    },
  );

  it("of a rotation leaves the old token in its grace, with the way to its successor", async () => {
    const { store, proxy } = await setUp({}, { commandTimeoutMs: 200 });
    await create(store, login("a", LONG));
    // So that the script is known, and its name is what is sent.
    await store.rotate(a, { oldTokenHash: hash("none"), newTokenHash: hash("b"), seed: "s", graceMs: 60_000 });
    proxy.swallow({ request: (chunk) => chunk.includes("evalsha") });
    const rotation = { oldTokenHash: hash("a"), newTokenHash: hash("b"), seed: "seed", graceMs: 60_000 };
    await expect(store.rotate(a, rotation)).rejects.toMatchObject(UNAVAILABLE);
    await until(() => answers(store));
    expect(await store.load(a, hash("a"), { touch: true })).toMatchObject({ id: a, seed: "seed" });
    expect(await store.rotate(a, { ...rotation, newTokenHash: hash("c"), seed: "other" })).toMatchObject({
      seed: "seed",
    });
  });
});

describe("a Redis that loses what it had", () => {
  it("FLUSHALL ends every session, and none comes back by a write that is under way", async () => {
    const { server, store } = await setUp();
    for (const name of ["a", "b"]) await create(store, login(name, { subject: "s", ...LONG }));
    const held = await store.load(idOf("a", "s"), hash("a"), { touch: true });
    await server.command("FLUSHALL");
    expect(held).toBeDefined();
    expect(await store.commit(idOf("a", "s"), { set: { a: 1 } })).toBe("not-found");
    expect(await store.load(idOf("a", "s"), hash("a"), { touch: true })).toBeUndefined();
    expect(
      await store.rotate(idOf("b", "s"), { oldTokenHash: hash("b"), newTokenHash: hash("c"), seed: "s", graceMs: 1 }),
    ).toBe("not-found");
    expect(await server.command("DBSIZE")).toBe("0");
  });

  it("a lost index or epoch lets no session outlive the end of all of its subject's", async () => {
    const { server, store } = await setUp();
    for (const lost of ["i", "e"]) {
      const subject = `of ${lost}`;
      const id = idOf("a", subject);
      await create(store, login("a", { subject, ...LONG }));
      const [key] = (await server.command("KEYS", `*:${lost}:${id.slice(0, 16)}`)).split("\n");
      expect(await server.command("DEL", key as string)).toBe("1");
      await store.revokeSubject(subject);
      expect(await store.load(id, hash("a"), { touch: true })).toBeUndefined();
      expect(await store.load(id, hash("a"), { touch: false })).toBeUndefined();
      expect(await store.commit(id, { set: { a: 1 } })).toBe("not-found");
      await create(store, login("b", { subject }));
      expect(await store.loadById(id)).toBeUndefined();
    }
  });

  it("says that it has no room when its memory is full, and keeps what it has", async () => {
    const { server, store } = await setUp({ settings: { maxmemory: "3mb", "maxmemory-policy": "noeviction" } });
    await create(store, login("kept", { data: { n: 1 }, ...LONG }));
    const fill = async (): Promise<void> => {
      for (let n = 0; n < 1_000; n += 1)
        await create(store, login(`f${n}`, { data: { a: "x".repeat(30_000) }, ...LONG }));
    };
    await expect(fill()).rejects.toMatchObject({ code: "overloaded" });
    expect(await store.loadById(idOf("kept"))).toMatchObject({ data: { n: 1 } });
    expect(await server.command("PING")).toBe("PONG");
  });
});

it("says why Redis does not let a client in", async () => {
  const server = await startRedis();
  onTestFinished(() => server.remove());
  await server.command("ACL", "SETUSER", "somebody", "on", ">right");
  const url = server.url.replace("redis://", "redis://somebody:wrong@");
  const refused = openSessions({ url });
  await expect(refused).rejects.toMatchObject({ code: "store-incompatible" });
  await expect(refused).rejects.toThrow(/WRONGPASS/);
});

interface Served {
  readonly server: Redis;
  readonly proxy: FaultyProxy;
}

async function setUp(settings: Parameters<typeof startRedis>[0] = {}, options: { commandTimeoutMs?: number } = {}) {
  const server = await startRedis(settings);
  onTestFinished(() => server.remove());
  const proxy = await startFaultyProxy({ to: server.port });
  onTestFinished(() => proxy.close());
  const store = await openSessions({ url: `redis://127.0.0.1:${proxy.port}`, ...options });
  onTestFinished(() => store.close());
  return { server, proxy, store } satisfies Served & { store: unknown };
}
