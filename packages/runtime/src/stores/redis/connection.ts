import type { Cluster, Redis } from "ioredis";
import { RuntimeError } from "../../errors.js";
import { systemPorts } from "../../ports.js";
import { fromDriver, isUnknownScript } from "./driver-error.js";
import type { Script } from "./scripts.js";
import type { ServerReport } from "./server-settings.js";

export interface RedisConnectionOptions {
  /** redis:// or rediss://user:password@host:port/database; several, of one cluster's nodes, for Redis Cluster. */
  readonly url: string | readonly string[];
  /** Until a call is given up as `store-unavailable`, ms. Its effect is then unknown. Default 2,000. */
  readonly commandTimeoutMs?: number;
  /** For a new connection, ms. Default 2,000. */
  readonly connectTimeoutMs?: number;
}

/** What the store asks of a server, or of a cluster. Rejects with a `RuntimeError`, and at once while there is no connection. */
export interface RedisConnection {
  /** Resolves when the server answers. */
  open(): Promise<void>;
  close(): Promise<void>;
  get(key: string): Promise<string | null>;
  mget(keys: readonly [string, string]): Promise<readonly (string | null)[]>;
  /** Keys are of one slot. */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** What each master says of itself. */
  reports(): Promise<readonly ServerReport[]>;
}

const COMMAND_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

/**
 * A command is sent once: after a broken connection nobody knows whether it was carried out, and sending it again could do it
 * twice. Without a connection calls fail at once instead of waiting for one.
 */
export function createRedisConnection(options: RedisConnectionOptions): RedisConnection {
  return new IoredisConnection(options);
}

class IoredisConnection implements RedisConnection {
  readonly #urls: readonly string[];
  readonly #settings: ReturnType<typeof settingsOf>;
  #client: Redis | Cluster | undefined;
  #isCorked = false;

  constructor(options: RedisConnectionOptions) {
    this.#urls = typeof options.url === "string" ? [options.url] : options.url;
    this.#settings = settingsOf(options);
  }

  async open(): Promise<void> {
    if (this.#client) return;
    const client = await this.#createClient();
    let reason: unknown;
    // Without a listener an error of a connection would end the process. Later ones are told by the calls that meet them.
    client.on("error", (error) => {
      reason = error;
    });
    try {
      await client.connect();
      await client.ping();
    } catch (error) {
      client.disconnect();
      throw fromDriver(reason ?? error);
    }
    this.#client = client;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
  }

  async get(key: string): Promise<string | null> {
    try {
      return await this.#gathered().get(key);
    } catch (error) {
      throw fromDriver(error);
    }
  }

  async mget([first, second]: readonly [string, string]): Promise<readonly (string | null)[]> {
    try {
      return await this.#gathered().mget(first, second);
    } catch (error) {
      throw fromDriver(error);
    }
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    try {
      return await this.#gathered().evalsha(script.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isUnknownScript(error)) throw fromDriver(error);
    }
    try {
      // The server keeps it from here on, until it is started anew.
      return await this.#gathered().eval(script.text, keys.length, ...keys, ...args);
    } catch (error) {
      throw fromDriver(error);
    }
  }

  async reports(): Promise<readonly ServerReport[]> {
    const client = this.#gathered();
    try {
      return await Promise.all(("nodes" in client ? client.nodes("master") : [client]).map(reportOf));
    } catch (error) {
      throw fromDriver(error);
    }
  }

  async #createClient(): Promise<Redis | Cluster> {
    const driver = await import("ioredis").catch((cause: unknown) => {
      const message = 'expected the package "ioredis" to be installed, it is not; run npm install ioredis';
      throw new RuntimeError("config-invalid", message, { package: "ioredis" }, { cause });
    });
    const [url] = this.#urls;
    const own = { lazyConnect: true, enableOfflineQueue: false };
    if (url !== undefined && this.#urls.length === 1)
      return new driver.Redis(url, { ...this.#settings, ...own, retryStrategy: backoff });
    return new driver.Cluster([...this.#urls], {
      ...{ ...own, enableAutoPipelining: true, redisOptions: this.#settings, clusterRetryStrategy: backoff },
    });
  }

  /**
   * The client, whose commands of this turn of the event loop leave in one write of the socket: a write each would cost as much
   * as all the rest. A cluster's client does something like it by itself.
   */
  #gathered(): Redis | Cluster {
    const client = this.#client;
    if (client === undefined) {
      const message = "expected an open session store, got one that is closed; call open() first";
      throw new RuntimeError("store-unavailable", message);
    }
    if ("nodes" in client || this.#isCorked) return client;
    const { stream } = client;
    this.#isCorked = true;
    stream.cork();
    systemPorts.clock.soon(() => {
      this.#isCorked = false;
      stream.uncork();
    });
    return client;
  }
}

async function reportOf(server: Redis): Promise<ServerReport> {
  const setting = async (name: string): Promise<string | null> => {
    // Not to be told is no failure.
    const answer = await server.config("GET", name).catch(() => null);
    return Array.isArray(answer) && typeof answer[1] === "string" ? answer[1] : null;
  };
  const [info, save, appendfsync] = await Promise.all([server.info(), setting("save"), setting("appendfsync")]);
  return { info, save, appendfsync };
}

function settingsOf({ commandTimeoutMs = COMMAND_TIMEOUT_MS, connectTimeoutMs }: RedisConnectionOptions) {
  return {
    connectTimeout: connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    // A server that says nothing for so long while commands wait is gone, whatever TCP believes.
    socketTimeout: 2 * commandTimeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // After a failover the address may lead to what is a replica now.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  };
}

function backoff(times: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (times - 1), LAST_RETRY_MS);
}
