import type { Socket } from "node:net";

/** What the network does to both directions of every connection, now. */
export interface Weather {
  /** Every chunk is held back so long, ms. Default 0. */
  readonly latencyMs: number;
  /** Up to so much longer, by chance, ms. The order within a connection is kept, as TCP keeps it. Default 0. */
  readonly jitterMs: number;
  /** Chunks are cut into pieces of at most so many bytes; 0: not at all. Default 0. */
  readonly sliceBytes: number;
  /** Nothing passes in these directions, and nobody is told; what was sent meanwhile arrives afterwards. Default `none`. */
  readonly partition: "none" | "requests" | "replies" | "both";
}

export const CALM: Weather = { latencyMs: 0, jitterMs: 0, sliceBytes: 0, partition: "none" };

/** Bytes held back in one direction; above it the sender is made to wait, as a full TCP window does. */
const MAX_HELD_BYTES = 1_048_576;

interface Held {
  /** Null: the sender's end of stream. */
  readonly chunk: Buffer | null;
  readonly dueAt: number;
}

export interface LaneOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly weather: () => Weather;
  readonly random: () => number;
  /** True: nothing passes in this direction. */
  readonly blocked: () => boolean;
  /** Sees each chunk as it arrives; false: it is thrown away. */
  readonly onChunk: (chunk: Buffer) => boolean;
}

/** One direction of one proxied connection: chunks wait here until they are due, and leave in the order they came. */
export class ProxyLane {
  readonly #options: LaneOptions;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #closed = false;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { from } = options;
    from.on("data", (chunk) => this.#take(chunk));
    for (const event of ["end", "close"] as const) from.on(event, () => this.#end());
  }

  /** The weather changed: what was held may be due. */
  look(): void {
    this.#deliver();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#held.length = 0;
  }

  /** Also when the sender broke off: what it had sent before arrives first. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#hold(null);
  }

  #take(chunk: Buffer): void {
    if (this.#closed || !this.#options.onChunk(chunk)) return;
    const { sliceBytes } = this.#options.weather();
    const size = sliceBytes > 0 ? sliceBytes : chunk.byteLength;
    for (let start = 0; start < chunk.byteLength; start += size) this.#hold(chunk.subarray(start, start + size));
  }

  #hold(chunk: Buffer | null): void {
    if (this.#closed) return;
    const { latencyMs, jitterMs } = this.#options.weather();
    this.#held.push({ chunk, dueAt: performance.now() + latencyMs + this.#options.random() * jitterMs });
    this.#heldBytes += chunk?.byteLength ?? 0;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#options.from.pause();
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    const { to, from, blocked, weather } = this.#options;
    for (let next = this.#held[0]; next !== undefined && !this.#closed && !blocked(); next = this.#held[0]) {
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), waitMs);
        return;
      }
      this.#held.shift();
      this.#heldBytes -= next.chunk?.byteLength ?? 0;
      if (next.chunk === null) to.end();
      else if (to.writable) to.write(next.chunk);
      // Each piece in a turn of its own, or the kernel would put them together again.
      if (weather().sliceBytes > 0) {
        this.#timer = setTimeout(() => this.#deliver(), 0);
        return;
      }
    }
    if (this.#heldBytes <= MAX_HELD_BYTES && from.isPaused()) from.resume();
  }
}
