/**
 * Where a test keeps its sessions: in a file, or, when TEST_REDIS_URL names a Redis server, there, under a prefix of its own
 * that is emptied afterwards.
 */
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";

export interface TestRedis {
  readonly url: string;
  readonly prefix: string;
  remove(): Promise<void>;
}

/** Null: a file. */
export function newTestRedis(): TestRedis | null {
  const url = process.env.TEST_REDIS_URL ?? "";
  if (url === "") return null;
  const prefix = `test-${randomBytes(8).toString("hex")}:`;
  return { url, prefix, remove: () => removeAll(url, prefix) };
}

async function removeAll(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  try {
    let cursor = "0";
    do {
      const [next, keys] = await redis.scan(cursor, "MATCH", `${prefix}*`, "COUNT", 1_000);
      if (keys.length > 0) await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== "0");
  } finally {
    redis.disconnect();
  }
}
