import type { Redis } from "ioredis";
import { backoff, loadDriver, type RedisConnectionOptions, settingsOf } from "./driver.js";
import { fromDriver } from "./driver-error.js";
import { serverRunIn } from "./server-settings.js";

/** By which a server and a connection to it are found again on another connection. */
export interface Listening {
  /** What the server calls this connection. */
  readonly clientId: string;
  readonly serverRun: string;
}

export interface InvalidationListener {
  /** These keys changed; null: everything is gone. */
  invalidated(keys: readonly string[] | null): void;
  listening(listening: Listening): void;
  /** Nothing comes any more. */
  lost(): void;
  /** This user may not listen, and will not be let in later either. */
  refused(error: Error): void;
}

const CHANNEL = "__redis__:invalidate";

/**
 * The connection on which a server tells which keys changed. It speaks RESP2, where the messages come as those of a channel: the
 * driver of either protocol passes them on, while it drops the pushes of RESP3.
 */
export class Invalidations {
  readonly #url: string;
  readonly #options: RedisConnectionOptions;
  readonly #listener: InvalidationListener;
  #client: Redis | undefined;

  constructor(url: string, options: RedisConnectionOptions, listener: InvalidationListener) {
    this.#url = url;
    this.#options = options;
    this.#listener = listener;
  }

  /** Begins to connect, and does so again whenever the connection is lost. */
  async open(): Promise<void> {
    const { Redis } = await loadDriver();
    const client = new Redis(this.#url, {
      ...settingsOf(this.#options),
      ...{ protocol: 2, lazyConnect: true, enableOfflineQueue: false, autoResubscribe: false, retryStrategy: backoff },
    });
    this.#client = client;
    // What is wrong with a connection is seen by its end.
    client.on("error", () => {});
    client.on("close", () => this.#client === client && this.#listener.lost());
    client.on("ready", () => void this.#listen(client));
    // As a buffer: the payload is an array of keys, of which the driver's text would be one with commas.
    client.on("messageBuffer", (_channel: Buffer, keys: unknown) => {
      if (this.#client !== client) return;
      this.#listener.invalidated(Array.isArray(keys) ? keys.map(String) : null);
    });
    // The driver tries again by itself.
    client.connect().catch(() => {});
  }

  close(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
    this.#listener.lost();
  }

  /** Leaves this connection for a new one. */
  reconnect(): void {
    this.#client?.disconnect(true);
  }

  /** What was sent here before the server saw this question has arrived when it is answered. */
  async ping(): Promise<void> {
    try {
      await this.#client?.ping();
    } catch (error) {
      throw fromDriver(error);
    }
  }

  async #listen(client: Redis): Promise<void> {
    try {
      // In one write, and in this order: a connection that listens may ask nothing else.
      const answers = Promise.all([client.info("server"), client.client("ID"), client.subscribe(CHANNEL)]);
      const [info, clientId] = await answers;
      if (this.#client === client)
        this.#listener.listening({ clientId: String(clientId), serverRun: serverRunIn(info) });
    } catch (error) {
      // One that was lost meanwhile comes anew by itself.
      if (this.#client !== client || client.status !== "ready") return;
      const failure = fromDriver(error);
      const isFinal = failure.code === "store-incompatible";
      client.disconnect(!isFinal);
      if (isFinal) this.#listener.refused(failure);
    }
  }
}
