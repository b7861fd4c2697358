import { randomBytes } from "node:crypto";

/**
 * The world as the runtime sees it. Every clock, timer, random number and id goes through these two ports, so that a
 * seeded simulation can replace the world; this file is the only one allowed to touch the real one.
 */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
}

export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. Never used for leases: those follow the store's clock. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes backwards. For measuring how long something took. */
  monotonic(): number;
  /** Calls `callback` once after at least `delayMs` (0 or more; delays over 24.8 days are waited in slices). */
  after(delayMs: number, callback: () => void): CancelTimer;
  /** Calls `callback` once, after the callbacks of the current turn of the event loop. */
  soon(callback: () => void): CancelTimer;
}

/** Cancels a timer; harmless when it already fired or was canceled. */
export type CancelTimer = () => void;

export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** `length` bytes fit for secrets. */
  bytes(length: number): Uint8Array;
}

/** The longest delay that Node's timers take without overflowing into an immediate call. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    let timer: NodeJS.Timeout;
    const wait = (remainingMs: number): void => {
      const sliceMs = Math.min(remainingMs, MAX_TIMER_MS);
      timer = setTimeout(() => (remainingMs > sliceMs ? wait(remainingMs - sliceMs) : callback()), sliceMs);
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
  soon(callback) {
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  },
};

/** The operating system's random source, read in larger pieces: a call of it costs more than the bytes do. */
const POOL_BYTES = 4_096;
let pool = Buffer.alloc(0);
let used = 0;

const systemRandom: Random = {
  float: () => systemRandom.bytes(6).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 48,
  bytes(length) {
    if (length > POOL_BYTES / 8) return randomBytes(length);
    if (used + length > pool.length) {
      pool = randomBytes(POOL_BYTES);
      used = 0;
    }
    used += length;
    // Nobody else gets these bytes: a refill takes a new pool.
    return pool.subarray(used - length, used);
  },
};

/** The real world: system clock, timers and the operating system's random source. */
export const systemPorts: Ports = { clock: systemClock, random: systemRandom };

/** Resolves after `delayMs`, or at once when `signal` is or becomes aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal?.addEventListener("abort", finish, { once: true });
  });
}

/** A UUIDv7 (RFC 9562): sorts by creation time, so new rows land at the end of an index. */
export function uuidV7(ports: Ports): string {
  const bytes = ports.random.bytes(16);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const now = ports.clock.now();
  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now % 2 ** 32);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
