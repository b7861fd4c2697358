import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RedisOptions, startRedis } from "./redis.js";

async function redis(options?: RedisOptions) {
  const server = await startRedis(options);
  onTestFinished(() => server.remove());
  return server;
}

const runs = (pid: number | undefined): boolean => {
  try {
    process.kill(pid ?? 0, 0);
    return pid !== undefined;
  } catch {
    return false;
  }
};

describe("a Redis of one's own", () => {
  it("answers commands as redis-cli does, and throws what the server says", async () => {
    const server = await redis();
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
    expect(await server.command("RPUSH", "list", "a b", "é\r\n", "")).toBe("3");
    expect(await server.command("LRANGE", "list", "0", "-1")).toBe("a b\né\r\n\n");
    expect(await server.command("GET", "nothing")).toBe("");
    expect(await server.command("EVAL", "return {1, {'x', false}, redis.error_reply('ERR inner')}", "0")).toBe(
      "1\nx\n\nERR inner",
    );
    await expect(server.command("GET", "list")).rejects.toThrow(/^WRONGTYPE /);
    const long = "long ".repeat(100_000);
    await server.command("SET", "long", long);
    expect(await server.command("GET", "long")).toBe(long);
  });

  it("listens on the loopback address alone, at the port and with the settings it was told", async () => {
    const first = await redis({ settings: { maxmemory: "10mb", appendonly: "yes" } });
    expect(await first.command("CONFIG", "GET", "maxmemory")).toBe("maxmemory\n10485760");
    expect(await first.command("CONFIG", "GET", "appendonly")).toBe("appendonly\nyes");
    expect(await first.command("CONFIG", "GET", "bind")).toBe("bind\n127.0.0.1");
    const { port } = first;
    await first.remove();
    expect((await redis({ port })).port).toBe(port);
  });

  it.each(["always", "everysec"] as const)(
    "with %s keeps what it acknowledged when it is killed",
    async (persistence) => {
      const server = await redis({ persistence });
      expect(await server.command("CONFIG", "GET", "appendfsync")).toBe(`appendfsync\n${persistence}`);
      const before = server.pid;
      for (let n = 1; n <= 50; n += 1) await server.command("INCR", "n");
      await server.kill();
      expect(server.pid).toBeUndefined();
      await expect(server.command("PING")).rejects.toThrow("ECONNREFUSED");
      await server.start();
      expect(await server.command("GET", "n")).toBe("50");
      expect(server.pid).not.toBe(before);
    },
  );

  it.each(["kill", "stop"] as const)("with none loses all by %s", async (end) => {
    const server = await redis();
    await server.command("SET", "a", "1");
    await server[end]();
    await server.start();
    expect(await server.command("DBSIZE")).toBe("0");
  });

  it("answers nothing while it is paused, and everything afterwards", async () => {
    const server = await redis();
    server.pause();
    let answered = false;
    const answer = server.command("INCR", "n").finally(() => {
      answered = true;
    });
    // The kernel accepts connections for a paused process: when a later one stands, the first has had its time.
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(server.port, "127.0.0.1");
      await once(socket, "connect");
      socket.destroy();
    }
    expect(answered).toBe(false);
    server.resume();
    expect(await answer).toBe("1");
  });

  it("breaks off what it was asked when it is killed while paused", async () => {
    const server = await redis();
    server.pause();
    const refused = expect(server.command("PING")).rejects.toThrow(/expected Redis on port \d+ to answer PING, got/);
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => {});
    await server.kill();
    await refused;
    socket.destroy();
  });

  it("stops in good order also when it is paused", async () => {
    const server = await redis({ persistence: "everysec" });
    await server.command("SET", "a", "1");
    server.pause();
    await server.stop();
    await server.start();
    expect(await server.command("GET", "a")).toBe("1");
  });

  it("starts twice and stops twice without harm", async () => {
    const server = await redis();
    await server.command("SET", "a", "1");
    const { pid } = server;
    await Promise.all([server.start(), server.start()]);
    expect([server.pid, await server.command("GET", "a")]).toEqual([pid, "1"]);
    await Promise.all([server.stop(), server.stop(), server.kill()]);
    await server.stop();
    expect(() => server.pause()).toThrow("expected a running Redis for SIGSTOP, got one that is stopped");
  });

  it("leaves nothing behind when it is removed while paused, and says why a start failed", async () => {
    const server = await redis({ persistence: "always" });
    const { pid, folder } = server;
    expect([runs(pid), existsSync(folder)]).toEqual([true, true]);
    server.pause();
    await server.remove();
    expect([runs(pid), existsSync(folder), server.pid]).toEqual([false, false, undefined]);
    await server.remove();
    await expect(startRedis({ settings: { "no-such-setting": 1 } })).rejects.toThrow("Bad directive");
  });

  it("does not take another server on its port for its own", async () => {
    const { port } = await redis();
    await expect(startRedis({ port })).rejects.toThrow("Address already in use");
  });
});
