import type { Cluster, Redis } from "ioredis";
import { RuntimeError } from "../../errors.js";
import { systemPorts } from "../../ports.js";
import { backoff, loadDriver, type RedisConnectionOptions, settingsOf } from "./driver.js";
import { fromDriver, isUnknownScript } from "./driver-error.js";
import { GatheredReads } from "./gathered-reads.js";
import type { Script } from "./scripts.js";
import { type ServerReport, serverRunIn } from "./server-settings.js";

/** What the store asks of a server, or of a cluster. Rejects with a `RuntimeError`, and at once while there is no connection. */
export interface RedisConnection {
  /** Resolves when the server answers. */
  open(): Promise<void>;
  close(): Promise<void>;
  get(key: string): Promise<string | null>;
  /** Their values as of one moment; one command, perhaps of several calls together. Keys are of one slot, and their values small. */
  mget(keys: readonly string[]): Promise<readonly (string | null)[]>;
  /** Keys are of one slot. */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** What each master says of itself. */
  reports(): Promise<readonly ServerReport[]>;
  /** The clock of the one server, ms since the epoch with fractions. */
  time(): Promise<number>;
  /** For a cache beside the connection. Undefined for a cluster, whose connections come and go by themselves. */
  readonly tracked: TrackedConnection | undefined;
}

/** A connection whose reads the server remembers, to say on another connection when what was read changes. */
export interface TrackedConnection {
  /** What a process of a server calls itself; another one, also of the same address, has another. */
  serverRun(): Promise<string>;
  /** From here on the server tells the connection with this client id of every change of a key that is read here. */
  track(clientId: string): Promise<void>;
  /** Is told when the connection is lost, before anything else happens, and when there is a new one. */
  watch(watcher: ConnectionWatcher): void;
}

export interface ConnectionWatcher {
  lost(): void;
  ready(): void;
}

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
  readonly #reads = new GatheredReads((keys) => this.#mget(keys), systemPorts.clock);
  #client: Redis | Cluster | undefined;
  #isCorked = false;
  /** That of the last `open`: one that was left says nothing any more. */
  #opened: Redis | Cluster | undefined;
  #watcher: ConnectionWatcher | undefined;
  readonly tracked: TrackedConnection | undefined;

  constructor(options: RedisConnectionOptions) {
    this.#urls = typeof options.url === "string" ? [options.url] : options.url;
    this.#settings = settingsOf(options);
    if (this.#urls.length === 1)
      this.tracked = {
        serverRun: async () => serverRunIn(await this.#ask((client) => client.info("server"))),
        track: async (id) => void (await this.#ask((client) => client.client("TRACKING", "ON", "REDIRECT", id))),
        watch: (watcher) => {
          this.#watcher = watcher;
        },
      };
  }

  async open(): Promise<void> {
    if (this.#client) return;
    const client = await this.#createClient();
    let reason: unknown;
    // Without a listener an error of a connection would end the process. Later ones are told by the calls that meet them.
    client.on("error", (error) => {
      reason = error;
    });
    this.#opened = client;
    client.on("close", () => this.#opened === client && this.#watcher?.lost());
    client.on("ready", () => this.#opened === client && this.#watcher?.ready());
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
    this.#opened = undefined;
    client?.disconnect();
    this.#watcher?.lost();
  }

  async get(key: string): Promise<string | null> {
    try {
      return await this.#gathered().get(key);
    } catch (error) {
      throw fromDriver(error);
    }
  }

  mget(keys: readonly string[]): Promise<readonly (string | null)[]> {
    return this.#isCluster ? this.#mget(keys) : this.#reads.read(keys);
  }

  async #mget(keys: readonly string[]): Promise<readonly (string | null)[]> {
    try {
      // Of a single Redis the reads are gathered already, and one that is full leaves now.
      const client = this.#isCluster ? this.#gathered() : this.#connected();
      return await client.mget(...keys);
    } catch (error) {
      throw fromDriver(error);
    }
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const named = this.#isCluster ? [...keys, absentKey(keys[0] ?? "")] : keys;
    try {
      return await this.#gathered().evalsha(script.sha, named.length, ...named, ...args);
    } catch (error) {
      if (!isUnknownScript(error)) throw fromDriver(error);
    }
    try {
      // The server keeps it from here on, until it is started anew.
      return await this.#gathered().eval(script.text, named.length, ...named, ...args);
    } catch (error) {
      throw fromDriver(error);
    }
  }

  async time(): Promise<number> {
    const [seconds, micros] = await this.#ask((client) => client.time());
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  }

  async reports(): Promise<readonly ServerReport[]> {
    const client = this.#gathered();
    try {
      return await Promise.all(("nodes" in client ? client.nodes("master") : [client]).map(reportOf));
    } catch (error) {
      throw fromDriver(error);
    }
  }

  get #isCluster(): boolean {
    return this.#urls.length > 1;
  }

  async #createClient(): Promise<Redis | Cluster> {
    const driver = await loadDriver();
    const [url] = this.#urls;
    const own = { lazyConnect: true, enableOfflineQueue: false };
    if (url !== undefined && !this.#isCluster)
      return new driver.Redis(url, { ...this.#settings, ...own, retryStrategy: backoff });
    return new driver.Cluster([...this.#urls], {
      ...{ ...own, redisOptions: this.#settings, clusterRetryStrategy: backoff },
      // Or what was under way when a node's connection broke would be sent again, though it may have been carried out.
      retryDelayOnFailover: 0,
      // The driver's pipelines of a cluster can count a command as sent that was not, when a node's connection comes and goes:
      // from then on each caller is given the answer to another one's command.
      enableAutoPipelining: false,
    });
  }

  async #ask<Answer>(question: (client: Redis) => Promise<Answer>): Promise<Answer> {
    try {
      return await question(this.#gathered() as Redis);
    } catch (error) {
      throw fromDriver(error);
    }
  }

  #connected(): Redis | Cluster {
    if (this.#client !== undefined) return this.#client;
    const message = "expected an open session store, got one that is closed; call open() first";
    throw new RuntimeError("store-unavailable", message);
  }

  /**
   * The client, whose commands of this turn of the event loop leave in one write of each socket: a write each would cost as much
   * as all the rest.
   */
  #gathered(): Redis | Cluster {
    const client = this.#connected();
    if (this.#isCorked) return client;
    this.#isCorked = true;
    // A node that nobody asked yet has none.
    const streams = "nodes" in client ? client.nodes("master").flatMap(({ stream }) => stream ?? []) : [client.stream];
    for (const stream of streams) stream.cork();
    systemPorts.clock.soon(() => {
      this.#isCorked = false;
      for (const stream of streams) stream.uncork();
    });
    return client;
  }
}

/**
 * A key of the same slot that is never there. While a slot moves, its old owner has some of its keys and its new one the
 * others, and a script on either would take the rest for gone: a live session would be none. Servers refuse a script when
 * they lack one of several keys that it names (TRYAGAIN); but those of a whole bucket cannot name all. So no script runs on
 * a slot that moves; the driver asks again for a while, then it is `store-unavailable`.
 */
function absentKey(key: string): string {
  return `${key.slice(0, key.indexOf("}") + 1)}:-`;
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
