import { RuntimeError } from "../../errors.js";
import type { Logger } from "../../log.js";
import type { Clock } from "../../ports.js";
import { CachedKeys, type KeptRead } from "./cached-keys.js";
import type { RedisConnection } from "./connection.js";
import type { RedisConnectionOptions } from "./driver.js";
import type { StoredSession } from "./session-record.js";
import { Tracking } from "./tracking.js";

export interface NearCacheOptions {
  /** Sessions kept; of 4 KiB each on average, or fewer. From 2. Default 10,000. */
  readonly maxSessions?: number;
  /**
   * For how long at most a session that was changed or revoked elsewhere may still be served as it was, ms; usually it is milliseconds.
   * From 20. Above the round trip to Redis, or nothing is ever served. Default 1,000.
   */
  readonly staleMs?: number;
}

/** Since the store was made. */
export interface NearCacheCounts {
  /** Loads without a command. */
  readonly hits: number;
  readonly misses: number;
  /** Keys of which it was told that they changed, and that it had. */
  readonly invalidations: number;
  /** How often all was thrown away: a connection was lost, or Redis was emptied. */
  readonly resets: number;
  /** Sessions kept now. */
  readonly sessions: number;
}

export interface NearCacheParts extends NearCacheOptions {
  readonly connection: RedisConnection;
  readonly connectionOptions: RedisConnectionOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Sessions that this process read a moment ago, served without asking Redis for as long as Redis has not said otherwise. */
export class NearCache {
  readonly #keys: CachedKeys;
  readonly #tracking: Tracking;
  readonly #counts = { hits: 0, misses: 0, invalidations: 0, resets: 0 };

  /** Error: `config-invalid` for a cluster, or a bound that is none. */
  constructor({ connection, connectionOptions, clock, logger, maxSessions = 10_000, staleMs = 1_000 }: NearCacheParts) {
    checkBound("maxSessions", maxSessions, 2);
    checkBound("staleMs", staleMs, 20);
    const urls = [connectionOptions.url].flat();
    const [url] = urls;
    const { tracked } = connection;
    if (urls.length !== 1 || url === undefined || tracked === undefined) {
      const message = `expected one url with nearCache, got ${urls.length}: it is for a single Redis, not for a cluster; leave nearCache out`;
      throw new RuntimeError("config-invalid", message, { key: "nearCache" });
    }
    this.#keys = new CachedKeys(maxSessions);
    this.#tracking = new Tracking({
      ...{ connection, tracked, url, connectionOptions, clock, logger, staleMs },
      changed: (keys) => this.#changed(keys),
      reset: () => this.#reset(),
    });
  }

  /** After the connection. A cache that cannot be had is no error: loads ask Redis meanwhile. */
  open(): Promise<void> {
    return this.#tracking.open();
  }

  /** Before the connection. */
  close(): void {
    this.#tracking.close();
  }

  counts(): NearCacheCounts {
    return { ...this.#counts, sessions: this.#keys.size };
  }

  /** A live session, as it was less than `staleMs` ago or later. */
  find(recordKey: string, epochKey: string | undefined): StoredSession | undefined {
    if (this.#tracking.isCurrent()) {
      const stored = this.#keys.find(recordKey, epochKey);
      if (stored !== undefined && this.#tracking.serverTimeAtMost() < stored.expiresAt) {
        this.#counts.hits += 1;
        return stored;
      }
    }
    this.#counts.misses += 1;
    return undefined;
  }

  /** Before a read of these keys, and of no others, is sent. Undefined: it is not tracked, and not to be kept. */
  reading(recordKey: string, epochKey: string | undefined): KeptRead | undefined {
    return this.#tracking.isTracking ? this.#keys.reading(recordKey, epochKey) : undefined;
  }

  /**
   * A change of this process: who made it sees it from its answer on, which may come before Redis says so on the other
   * connection. Also before it is sent, for a read that is under way.
   */
  async changing<Answer>(key: string | null, change: () => Promise<Answer>): Promise<Answer> {
    this.forget(key);
    try {
      return await change();
    } finally {
      this.forget(key);
    }
  }

  /** Null: everything. */
  forget(key: string | null): void {
    if (key === null) this.#keys.clear();
    else this.#keys.drop(key);
  }

  /** Resolves when everything that changed before the call is known here. */
  catchUp(): Promise<void> {
    return this.#tracking.catchUp();
  }

  #changed(keys: readonly string[] | null): void {
    if (keys === null) this.#reset();
    else for (const key of keys) if (this.#keys.drop(key)) this.#counts.invalidations += 1;
  }

  #reset(): void {
    this.#keys.clear();
    this.#counts.resets += 1;
  }
}

function checkBound(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  const message = `expected nearCache.${name} to be a whole number from ${least}, got ${value}`;
  throw new RuntimeError("config-invalid", message, { key: `nearCache.${name}` });
}
