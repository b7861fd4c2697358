import { startFaultyProxy } from "./faulty-proxy.js";
import { type Redis, type RedisOptions, startRedis } from "./redis.js";
import { redisInfo } from "./redis-info.js";
import { waitUntil } from "./wait-until.js";

/** `persistence` and `settings` are those of both. */
export type RedisPairOptions = Omit<RedisOptions, "port">;

/**
 * A primary and an asynchronous replica, for failovers that lose the writes which the replica did not have. `primary` and
 * `replica` are the servers as they began, also after a promotion. The replication goes through a proxy in this process,
 * so that it can be cut without either server noticing. A replica that starts again follows nobody until `attach`.
 */
export interface RedisPair {
  readonly primary: Redis;
  readonly replica: Redis;
  /** Resolves when the replica has applied every write that the primary had at the call; throws while it is detached. */
  waitInSync(): Promise<void>;
  /**
   * No later write reaches the replica, and nobody is told: it says that it follows, its data ages. What was written shortly
   * before may not have reached it either; `waitInSync` first to know.
   */
  detach(): void;
  /** The replica follows the primary (again), and what it has beyond it is lost; resolves when it is in sync. */
  attach(): Promise<void>;
  /** The replica becomes a primary with the data that it has, and takes writes. The other one is not told. */
  promote(): Promise<void>;
  /** Kills both, also paused ones, and removes their folders. */
  remove(): Promise<void>;
}

export async function startRedisPair(options: RedisPairOptions = {}): Promise<RedisPair> {
  const primary = await startRedis(options);
  const proxy = await startFaultyProxy({ to: primary.port });
  let replica: Redis | undefined;
  const remove = async (): Promise<void> => {
    await Promise.all([primary.remove(), replica?.remove()]);
    await proxy.close();
  };
  try {
    replica = await startRedis(options);
    const pair = pairOf(primary, replica, proxy);
    await pair.attach();
    return { ...pair, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function pairOf(
  primary: Redis,
  replica: Redis,
  proxy: Awaited<ReturnType<typeof startFaultyProxy>>,
): Omit<RedisPair, "remove"> {
  let following = false;
  const waitInSync = async (): Promise<void> => {
    if (!following)
      throw new Error("expected a replica that follows, got one that was detached or promoted; call attach() first");
    const written = (await replicationOf(primary)).get("master_repl_offset");
    await waitUntil(`the replica to apply the log up to ${written}`, async (signal) => {
      const got = await replicationOf(replica, signal);
      // An offset counts only while the link is up: before, it may be one of another history.
      if (got.get("master_link_status") !== "up") return `master_link_status:${got.get("master_link_status")}`;
      const applied = got.get("slave_repl_offset");
      return Number(applied) >= Number(written) ? null : `${applied}`;
    });
  };
  return {
    primary,
    replica,
    waitInSync,
    detach() {
      following = false;
      proxy.set({ partition: "both" });
    },
    async attach() {
      proxy.calm();
      await replica.command("REPLICAOF", "127.0.0.1", `${proxy.port}`);
      following = true;
      await waitInSync();
    },
    async promote() {
      await replica.command("REPLICAOF", "NO", "ONE");
      following = false;
    },
  };
}

function replicationOf({ port }: Redis, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
  return redisInfo(port, ["INFO", "replication"], signal);
}
