import { startRedis } from "@clean-arch/test-servers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Logger } from "../../log.js";
import { openSessions } from "./own-prefix.test.support.js";
import { readServerSettings } from "./server-settings.js";

describe("what Redis' settings mean, said at the start", () => {
  it.each([
    [{ persistence: "none" }, "warn", /every session is gone.*runs go on.*appendonly yes/],
    [{ persistence: "none", settings: { save: "3600 1" } }, "warn", /snapshots only.*an ended session may live again/],
    [
      { persistence: "everysec" },
      "info",
      /flushes .* each second: a crash of the machine may lose that second.*slow disk/,
    ],
    [{ persistence: "always" }, "info", /flushes each change to disk before it answers/],
    [{ persistence: "always", settings: { appendfsync: "no" } }, "warn", /to the system.*appendonly yes/],
    [{ settings: { maxmemory: "50mb", "maxmemory-policy": "allkeys-lru" } }, "warn", /drops keys.*noeviction/],
  ] as const)("%j", async (options, level, sentence) => {
    const { said } = await start(options);
    expect(said.filter((line) => line.level === level).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(sentence),
    );
  });

  it("warns of nothing that is not so", async () => {
    const settings = { maxmemory: "50mb", "maxmemory-policy": "noeviction" };
    expect((await start({ persistence: "always", settings })).said.map(({ level }) => level)).toEqual(["info"]);
    const bound = await start({ persistence: "everysec", settings: { "maxmemory-policy": "allkeys-lru" } });
    expect(bound.said.map(({ level }) => level)).toEqual(["info"]);
  });

  it("is not needed where a user may not ask for settings", async () => {
    const server = await startRedis({ persistence: "everysec" });
    onTestFinished(() => server.remove());
    await server.command("ACL", "SETUSER", "service", "on", ">secret", "~*", "+@all", "-config");
    const { said, logger } = listening();
    const store = await openSessions({ url: `redis://service:secret@127.0.0.1:${server.port}`, logger });
    onTestFinished(() => store.close());
    expect(said).toMatchObject([{ level: "warn", message: expect.stringMatching(/append-only file/) }]);
    expect(JSON.stringify(said)).not.toContain("secret");
  });
});

it("refuses a server that is too old, and a password that is wrong, without repeating it", async () => {
  const tooOld = { code: "store-incompatible", details: { version: "6.2.14" } };
  const report = { info: "redis_version:6.2.14\r\naof_enabled:0\r\n", save: "", appendfsync: "everysec" };
  expect(() => readServerSettings(report)).toThrow(expect.objectContaining(tooOld));
  const server = await startRedis();
  onTestFinished(() => server.remove());
  const opening = openSessions({ url: `redis://nobody:hidden-word@127.0.0.1:${server.port}` });
  const error = await opening.catch((reason: unknown) => reason as Error & { code: string });
  expect(error).toMatchObject({ code: "store-incompatible" });
  expect(String((error as Error).message)).not.toContain("hidden-word");
});

it("says that nobody answers where no server is, within its timeout", async () => {
  await expect(openSessions({ url: "redis://127.0.0.1:1" })).rejects.toMatchObject({ code: "store-unavailable" });
});

async function start(options: Parameters<typeof startRedis>[0]) {
  const server = await startRedis(options);
  onTestFinished(() => server.remove());
  const { said, logger } = listening();
  const store = await openSessions({ url: server.url, logger });
  onTestFinished(() => store.close());
  return { said };
}

function listening() {
  const said: { readonly level: string; readonly message: string }[] = [];
  const say = (level: string) => (_facts: object, message: string) => void said.push({ level, message });
  const logger: Logger = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
  return { said, logger };
}
