import { existsSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { startFaultyProxy } from "./faulty-proxy.js";
import { type RedisPairOptions, startRedisPair } from "./redis-pair.js";
import { askRedis, replyText } from "./resp-client.js";

async function pairOfServers(options?: RedisPairOptions) {
  const pair = await startRedisPair(options);
  onTestFinished(() => pair.remove());
  return pair;
}

describe("a primary and its replica", () => {
  it("have the same data when they are in sync, and the replica takes no writes", async () => {
    const { primary, replica, waitInSync } = await pairOfServers({ settings: { maxmemory: "10mb" } });
    for (let n = 1; n <= 100; n += 1) {
      await primary.command("SET", "n", `${n}`);
      await waitInSync();
      expect(await replica.command("GET", "n")).toBe(`${n}`);
    }
    await expect(replica.command("SET", "n", "0")).rejects.toThrow(/^READONLY /);
    for (const server of [primary, replica])
      expect(await server.command("CONFIG", "GET", "maxmemory")).toBe("maxmemory\n10485760");
  });

  it("part without either noticing, and the primary goes on", async () => {
    const { primary, replica, waitInSync, detach, attach } = await pairOfServers();
    await primary.command("SET", "a", "1");
    await waitInSync();
    detach();
    await primary.command("SET", "a", "2");
    await expect(waitInSync()).rejects.toThrow("expected a replica that follows, got one that was detached");
    expect(await primary.command("INFO", "replication")).toContain("connected_slaves:1");
    expect(await replica.command("INFO", "replication")).toContain("master_link_status:up");
    expect(await replica.command("GET", "a")).toBe("1");
    await attach();
    expect(await replica.command("GET", "a")).toBe("2");
  });

  it("lose the tail in a failover behind one address", async () => {
    const { primary, replica, waitInSync, detach, promote } = await pairOfServers({ persistence: "always" });
    const address = await startFaultyProxy({ to: primary.port });
    onTestFinished(() => address.close());
    const ask = async (...command: string[]): Promise<string> => replyText(await askRedis(address.port, command));
    await ask("SET", "kept", "1");
    await waitInSync();
    detach();
    expect(await ask("SET", "tail", "1")).toBe("OK");
    expect(await ask("GET", "tail")).toBe("1");
    await promote();
    address.retarget(replica.port);
    expect([await ask("GET", "kept"), await ask("GET", "tail")]).toEqual(["1", ""]);
    expect(await ask("SET", "tail", "2")).toBe("OK");
    expect(await primary.command("GET", "tail")).toBe("1");
  });

  it("come together again after a promotion, without what the replica had beyond the primary", async () => {
    const { primary, replica, waitInSync, attach, promote } = await pairOfServers();
    await primary.command("SET", "a", "1");
    await waitInSync();
    await promote();
    for (let n = 0; n < 100; n += 1) await replica.command("SET", `beyond ${n}`, "1");
    await attach();
    expect([await replica.command("DBSIZE"), await replica.command("GET", "a")]).toEqual(["1", "1"]);
  });

  it("promote also when the primary is dead", async () => {
    const { primary, replica, waitInSync, promote } = await pairOfServers();
    await primary.command("SET", "a", "1");
    await waitInSync();
    await primary.kill();
    await promote();
    expect([await replica.command("SET", "b", "1"), await replica.command("GET", "a")]).toEqual(["OK", "1"]);
  });

  it("leave nothing behind", async () => {
    const { primary, replica, remove } = await startRedisPair();
    replica.pause();
    await remove();
    const left = [primary, replica].map(({ pid, folder }) => [pid, existsSync(folder)]);
    expect(left).toEqual([
      [undefined, false],
      [undefined, false],
    ]);
  });
});
