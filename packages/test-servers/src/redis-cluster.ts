import { clusterIdOf, clusterView } from "./cluster-view.js";
import { freePorts } from "./free-port.js";
import { type Redis, type RedisOptions, startRedis } from "./redis.js";
import { redisInfo } from "./redis-info.js";
import { moveSlot, ownerOf, SLOTS } from "./slot-move.js";
import { waitUntil } from "./wait-until.js";

/** `persistence` and `settings` are those of every node. */
export interface RedisClusterOptions extends Omit<RedisOptions, "port"> {
  /** Masters, which share the slots evenly. Default 3, the fewest of which a majority is left when one fails. */
  readonly nodes?: number;
  /** Of each master. Default 0. */
  readonly replicas?: 0 | 1;
}

/** A cluster of servers of its own. A node that is silent for a second counts as failed (`cluster-node-timeout`). */
export interface RedisCluster {
  /** The masters in the order of their slots, then the replicas in the order of their masters: as it was at the start. */
  readonly nodes: readonly Redis[];
  readonly urls: readonly string[];
  /** The running master that says that the slot is its own. */
  ownerOf(slot: number): Promise<Redis>;
  /**
   * Moves a slot with its keys to another master, while clients use it; resolves when every node knows. All nodes run. `meanwhile`
   * runs when the keys are gone and the slot is not: the old owner answers ASK.
   */
  moveSlot(slot: number, to: Redis, meanwhile?: () => Promise<void>): Promise<void>;
  /** Resolves when every node runs, knows all others, says `cluster_state:ok`, and replicas have their master's data. */
  waitUntilOk(): Promise<void>;
  /** Kills all nodes, also paused ones, and removes their folders. */
  remove(): Promise<void>;
}

const NODE_TIMEOUT_MS = 1_000;

/** Resolves when the cluster is whole, which takes over two seconds: a master that starts is kept from writes so long. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { nodes: count = 3, replicas = 0, persistence, settings } = options;
  if (!Number.isInteger(count) || count < 1 || count > 100)
    throw new Error(`expected nodes to be a whole number from 1 to 100, got ${count}`);
  const total = count * (1 + replicas);
  const ports = await freePorts(2 * total);
  const busPorts = ports.slice(total);
  const started = await Promise.allSettled(
    busPorts.map((busPort, index) =>
      startRedis({
        ...(persistence !== undefined && { persistence }),
        ...(ports[index] !== undefined && { port: ports[index] }),
        settings: {
          "cluster-enabled": "yes",
          "cluster-config-file": "nodes.conf",
          "cluster-node-timeout": NODE_TIMEOUT_MS,
          "cluster-port": busPort,
          "cluster-announce-ip": "127.0.0.1",
          // A replica stays with its master, or which node is whose would change by itself.
          "cluster-allow-replica-migration": "no",
          ...settings,
        },
      }),
    ),
  );
  const nodes = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const remove = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.remove())));
  const waitUntilOk = (): Promise<void> => waitUntil("the cluster to be ok", (signal) => missing(nodes, count, signal));
  try {
    for (const result of started) if (result.status === "rejected") throw result.reason;
    await join(nodes, busPorts, count);
    await waitUntilOk();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    nodes,
    urls: nodes.map(({ url }) => url),
    ownerOf: (slot) => ownerOf(nodes, slot),
    moveSlot: (slot, to, meanwhile = () => Promise.resolve()) => moveSlot(nodes, slot, to, meanwhile),
    waitUntilOk,
    remove,
  };
}

/** Slots, acquaintance, replication. */
async function join(nodes: readonly Redis[], busPorts: readonly number[], masters: number): Promise<void> {
  const [first] = nodes;
  for (const [index, node] of nodes.entries()) {
    // Different from the start, or the masters would first have to settle who is right about a slot.
    await node.command("CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`);
    if (index >= masters) continue;
    const [from, to] = [index, index + 1].map((nth) => Math.floor((nth * SLOTS) / masters)) as [number, number];
    await node.command("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${to - 1}`);
  }
  for (const [index, { port }] of nodes.entries())
    if (index > 0) await first?.command("CLUSTER", "MEET", "127.0.0.1", `${port}`, `${busPorts[index]}`);
  for (const [index, replica] of nodes.slice(masters).entries()) {
    const master = nodes[index];
    if (master === undefined) continue;
    const id = await clusterIdOf(master);
    // Refused until it has met its master, of whom it hears from the first node.
    await waitUntil(`port ${replica.port} to follow port ${master.port}`, async () => {
      await replica.command("CLUSTER", "REPLICATE", id);
      return null;
    });
  }
}

async function missing(nodes: readonly Redis[], masters: number, signal: AbortSignal): Promise<string | null> {
  for (const node of nodes) {
    const at = `at port ${node.port}`;
    const info = await redisInfo(node.port, ["CLUSTER", "INFO"], signal);
    if (info.get("cluster_state") !== "ok") return `cluster_state:${info.get("cluster_state")} ${at}`;
    if (info.get("cluster_slots_ok") !== `${SLOTS}`) return `cluster_slots_ok:${info.get("cluster_slots_ok")} ${at}`;
    const view = await clusterView(node, signal);
    if (view.length !== nodes.length) return `${view.length} nodes ${at}`;
    for (const { port, flags, connected } of view) {
      const trouble = flags.find((flag) => ["fail", "fail?", "handshake", "noaddr"].includes(flag));
      if (trouble !== undefined || !connected) return `port ${port} ${trouble ?? "not connected"} ${at}`;
    }
    const followers = view.filter(({ flags }) => flags.includes("slave")).length;
    if (followers !== nodes.length - masters) return `${followers} replicas ${at}`;
    const link = (await redisInfo(node.port, ["INFO", "replication"], signal)).get("master_link_status") ?? "up";
    if (link !== "up") return `master_link_status:${link} ${at}`;
  }
  return null;
}
