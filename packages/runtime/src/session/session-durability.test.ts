import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemPorts } from "../ports.js";
import { createSqliteSessionStore } from "../stores/sqlite/session-store.js";
import { openSessionInstances, SESSION_CONFIG } from "../testing/session-instances.js";
import { createSessionManager } from "./session-manager.js";
import { hashToken } from "./token.js";

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
    expect(bytes.includes(hashToken(current) as string)).toBe(true);
    for (const text of tokens) {
      expect(bytes.includes(text)).toBe(false);
      expect(bytes.includes(Buffer.from(text, "base64url"))).toBe(false);
      expect(await manager.load(hashToken(text) as string)).toBeUndefined();
    }
  });
});

async function setUp() {
  const instances = await openSessionInstances("sqlite");
  onTestFinished(instances.close);
  return instances;
}
