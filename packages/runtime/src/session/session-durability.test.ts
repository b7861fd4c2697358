import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { DEFAULT_CONFIG } from "../config.js";
import { systemPorts } from "../ports.js";
import { createSqliteSessionStore } from "../stores/sqlite/session-store.js";
import { openSessionInstances, SESSION_CONFIG } from "../testing/session-instances.test.support.js";
import { createSessionManager } from "./session-manager.js";
import { readToken } from "./token.js";

describe("sessions in an SQLite file", () => {
  it("are found again after a restart of the process", async () => {
    const { manager, other, file, clock } = await setUp();
    const { session, token } = await manager.create({ subject: "alice", data: { a: { b: 1 } } });
    const { token: rotated } = await manager.rotate(token);
    const { session: ended, token: endedToken } = await manager.create();
    await manager.destroy(ended.id);
    await manager.close();
    await other.close();

    const store = createSqliteSessionStore({ file, clock });
    const restarted = createSessionManager({
      store,
      config: SESSION_CONFIG,
      ports: { clock, random: systemPorts.random },
    });
    await restarted.open();
    expect(await restarted.load(rotated)).toMatchObject({
      id: session.id,
      subject: "alice",
      data: { a: { b: 1 } },
      revision: 1,
    });
    expect(await restarted.load(token)).toBeUndefined();
    expect(await restarted.load(endedToken)).toBeUndefined();
    await restarted.close();
  });

  it("leave no token in the file or its log, and the hashes in it open nothing", async () => {
    const { manager, file } = await setUp();
    const tokens: string[] = [];
    const { session, token } = await manager.create({ subject: "alice" });
    const { token: current } = await manager.rotate(token, 1_000);
    tokens.push(token, current);
    for (let n = 0; n < 20; n += 1) tokens.push((await manager.create()).token);

    const folder = join(file, "..");
    const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
    const bytes = Buffer.concat(files);
    expect(bytes.includes(session.id)).toBe(true);
    expect(bytes.includes(readToken(current)?.hash ?? "none")).toBe(true);
    for (const text of tokens) {
      // Of a token only its first 36 characters, the session's id, are no secret.
      const secret = text.slice(36);
      expect(bytes.includes(secret)).toBe(false);
      expect(bytes.includes(Buffer.from(secret, "base64url"))).toBe(false);
      expect(await manager.load(readToken(text)?.hash ?? "")).toBeUndefined();
    }
  });

  it("lose no field to writers in three processes that merge into one object", async () => {
    const { file } = await setUp();
    const store = createSqliteSessionStore({ file });
    const manager = createSessionManager({ store, config: DEFAULT_CONFIG.context });
    await manager.open();
    onTestFinished(() => manager.close());
    const { session } = await manager.create();

    const writers = ["a", "b"].map((label) => new Writer(file, session.id, label, 40));
    for (const writer of writers) await writer.ready();
    for (const writer of writers) writer.go();
    for (let n = 0; n < 40; n += 1) {
      await manager.update(session.id, { shared: { [`c${n}`]: true } });
      await turn();
    }
    for (const writer of writers) expect(await writer.exit).toEqual([0, null]);
    const shared = (await manager.get(session.id))?.data.shared as object;
    const expected = ["a", "b", "c"].flatMap((label) => Array.from({ length: 40 }, (_, n) => `${label}${n}`));
    expect(Object.keys(shared).sort()).toEqual(expected.sort());
    expect((await manager.get(session.id))?.revision).toBe(121);
  });
});

/** A program for `node -e`: a process of its own that merges fields into one object of a session when told to go. */
const WRITER = `
  import { runnerImport } from "vite";
  import { once } from "node:events";
  const [source, file, id, label, count] = process.argv.slice(1);
  const load = async (path) => (await runnerImport(source + path, { configFile: false, logLevel: "error" })).module;
  const { createSessionManager } = await load("/session/session-manager.ts");
  const { createSqliteSessionStore } = await load("/stores/sqlite/session-store.ts");
  const { DEFAULT_CONFIG } = await load("/config.ts");
  const manager = createSessionManager({ store: createSqliteSessionStore({ file }), config: DEFAULT_CONFIG.context });
  await manager.open();
  console.log("ready");
  await once(process.stdin, "data");
  const fields = Array.from({ length: Number(count) }, (_, n) => label + n);
  await Promise.all(fields.map((field) => manager.update(id, { shared: { [field]: true } })));
  await manager.close();
  process.exit(0);
`;

class Writer {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly exit: Promise<unknown[]>;

  constructor(file: string, session: string, label: string, count: number) {
    const source = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
    const args = ["--input-type=module", "-e", WRITER, "--", source, file, session, label, String(count)];
    this.#process = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.exit = once(this.#process, "exit");
    onTestFinished(() => void this.#process.kill());
  }

  async ready(): Promise<void> {
    const [output] = await Promise.race([once(this.#process.stdout, "data"), this.exit]);
    expect(String(output)).toBe("ready\n");
  }

  go(): void {
    this.#process.stdin.write("go\n");
  }
}

async function setUp() {
  const instances = await openSessionInstances("sqlite");
  onTestFinished(instances.close);
  return instances;
}
