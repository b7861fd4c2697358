import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type RedisCluster, startRedisCluster } from "./redis-cluster.js";

const slotOf = async ({ nodes }: RedisCluster, key: string): Promise<number> =>
  Number(await nodes[0]?.command("CLUSTER", "KEYSLOT", key));

describe("a cluster of three masters", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);
  afterAll(() => cluster?.remove());

  it("shares the slots, and sends whoever asks the wrong node to the right one", async () => {
    expect(cluster.urls).toEqual(cluster.nodes.map(({ port }) => `redis://127.0.0.1:${port}`));
    const [first, second, third] = cluster.nodes;
    expect([await cluster.ownerOf(0), await cluster.ownerOf(8_000), await cluster.ownerOf(16_383)]).toEqual([
      ...[first, second, third],
    ]);
    // Slot 12182.
    await third?.command("SET", "foo", "1");
    await expect(first?.command("GET", "foo")).rejects.toThrow(`MOVED 12182 127.0.0.1:${third?.port}`);
  });

  it("moves a slot with its keys, with ASK on the way and MOVED afterwards", async () => {
    const slot = await slotOf(cluster, "{moved}");
    const from = await cluster.ownerOf(slot);
    const to = cluster.nodes.find((node) => node !== from) ?? from;
    // More than go over at once, and one whose name is bytes that are no text.
    for (let n = 0; n < 250; n += 1) await from.command("SET", `{moved}${n}`, `${n}`);
    await from.command("EVAL", "return redis.call('SET', KEYS[1] .. '\\255\\10', 'bytes')", "1", "{moved}");
    let asked = 0;
    await cluster.moveSlot(slot, to, async () => {
      await expect(from.command("GET", "{moved}7")).rejects.toThrow(`ASK ${slot} 127.0.0.1:${to.port}`);
      await expect(to.command("GET", "{moved}7")).rejects.toThrow(`MOVED ${slot} 127.0.0.1:${from.port}`);
      asked += 1;
    });
    expect(asked).toBe(1);
    for (const node of cluster.nodes.filter((other) => other !== to))
      await expect(node.command("GET", "{moved}7")).rejects.toThrow(`MOVED ${slot} 127.0.0.1:${to.port}`);
    expect(await to.command("GET", "{moved}249")).toBe("249");
    expect(await to.command("CLUSTER", "COUNTKEYSINSLOT", `${slot}`)).toBe("251");
    expect(await to.command("EVAL", "return redis.call('GET', KEYS[1] .. '\\255\\10')", "1", "{moved}")).toBe("bytes");
    expect(await cluster.ownerOf(slot)).toBe(to);
    await cluster.moveSlot(slot, to);
    await cluster.moveSlot(slot, from);
    expect(await from.command("GET", "{moved}0")).toBe("0");
  });

  it("hands the slot over also when what runs meanwhile fails", async () => {
    const from = await cluster.ownerOf(5);
    const to = cluster.nodes.find((node) => node !== from) ?? from;
    await expect(cluster.moveSlot(5, to, () => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
    expect(await cluster.ownerOf(5)).toBe(to);
    await cluster.waitUntilOk();
  });

  it("refuses a slot that is none", async () => {
    const [to] = cluster.nodes;
    if (to === undefined) throw new Error("expected a node");
    await expect(cluster.moveSlot(16_384, to)).rejects.toThrow(
      "expected a running node that owns slot 16384, got none",
    );
  });
});

it("has a replica for each master, which takes over when that one is killed", async () => {
  const cluster = await startRedisCluster({ replicas: 1, persistence: "everysec" });
  onTestFinished(() => cluster.remove());
  const [master, replica] = [cluster.nodes[0], cluster.nodes[3]];
  if (master === undefined || replica === undefined) throw new Error("expected six nodes");
  expect(await replica.command("ROLE")).toContain(`slave\n127.0.0.1\n${master.port}`);
  await expect(cluster.moveSlot(16_000, replica)).rejects.toThrow(
    `expected a running master of this cluster to move slot 16000 to, got port ${replica.port}`,
  );
  const key = "{06S}"; // Slot 0.
  expect(await slotOf(cluster, key)).toBe(0);
  await master.command("SET", key, "1");
  await expect.poll(() => replica.command("CLUSTER", "COUNTKEYSINSLOT", "0")).toBe("1");
  await master.kill();
  await expect.poll(() => cluster.ownerOf(0).catch(() => null), { timeout: 30_000 }).toBe(replica);
  expect(await replica.command("GET", key)).toBe("1");
  await master.start();
  await cluster.waitUntilOk();
  expect(await cluster.ownerOf(0)).toBe(replica);
}, 90_000);

it("leaves nothing behind", async () => {
  const cluster = await startRedisCluster({ nodes: 1 });
  const [node] = cluster.nodes;
  expect(await node?.command("SET", "foo", "1")).toBe("OK");
  expect(existsSync(node?.folder ?? "")).toBe(true);
  node?.pause();
  await cluster.remove();
  expect([node?.pid, existsSync(node?.folder ?? "")]).toEqual([undefined, false]);
  await expect(startRedisCluster({ nodes: 0 })).rejects.toThrow(
    "expected nodes to be a whole number from 1 to 100, got 0",
  );
  await expect(startRedisCluster({ nodes: 2, settings: { "no-such-setting": 1 } })).rejects.toThrow("Bad directive");
}, 60_000);
