import type { Socket } from "node:net";
import { ProxyLane, type Weather } from "./proxy-lane.js";

/** A reply that is to be lost: the request is carried out, and the caller never hears of it. */
export interface Swallow {
  /** Which request's reply; default: the next request of any connection. */
  readonly request?: (chunk: Buffer) => boolean;
  /** The chunk with which the reply is complete, so that what was asked is done; default: its first chunk. */
  readonly until?: (chunk: Buffer) => boolean;
  /** `reset`: both sides see the connection break. `silence`: the caller waits for ever. Default `reset`. */
  readonly ending?: "reset" | "silence";
}

export interface LinkOptions {
  readonly client: Socket;
  readonly server: Socket;
  readonly weather: () => Weather;
  readonly random: () => number;
  /** Gives what is armed for this request, once. */
  readonly disarm: (request: Buffer) => Swallow | null;
  readonly onSwallowed: () => void;
  readonly onClosed: () => void;
}

/** One connection through the proxy: a socket on each side, a lane in each direction. */
export class ProxyLink {
  readonly #options: LinkOptions;
  readonly #lanes: readonly ProxyLane[];
  #swallow: Swallow | null = null;
  #silent = false;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { client, server, weather, random } = options;
    this.#lanes = [
      new ProxyLane({
        ...{ from: client, to: server, weather, random },
        blocked: () => this.#silent || weather().partition === "requests" || weather().partition === "both",
        onChunk: (chunk) => this.#request(chunk),
      }),
      new ProxyLane({
        ...{ from: server, to: client, weather, random },
        blocked: () => this.#silent || weather().partition === "replies" || weather().partition === "both",
        onChunk: (chunk) => this.#reply(chunk),
      }),
    ];
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        if (client.destroyed && server.destroyed) this.#close();
      });
    }
    server.once("error", () => {
      // As if there were no proxy: a server that is not there refuses the connection.
      if (server.bytesRead === 0 && server.bytesWritten === 0) this.reset();
    });
  }

  /** The weather changed. */
  look(): void {
    for (const lane of this.#lanes) lane.look();
  }

  /** From here on nothing passes either way and nobody is told: the connection is half-open for whoever stays. */
  silence(): void {
    this.#silent = true;
  }

  /** Both sides see the connection break: a packet with RST, not an orderly end. */
  reset(): void {
    this.#options.client.resetAndDestroy();
    this.#options.server.resetAndDestroy();
    this.#close();
  }

  #request(chunk: Buffer): boolean {
    if (this.#silent) return false;
    this.#swallow ??= this.#options.disarm(chunk);
    return true;
  }

  #reply(chunk: Buffer): boolean {
    if (this.#silent) return false;
    const swallow = this.#swallow;
    if (swallow === null) return true;
    if (swallow.until !== undefined && !swallow.until(chunk)) return false;
    this.#options.onSwallowed();
    if (swallow.ending === "silence") this.silence();
    else this.reset();
    return false;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const lane of this.#lanes) lane.close();
    this.#options.onClosed();
  }
}
