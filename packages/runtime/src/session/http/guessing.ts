import { createHash } from "node:crypto";
import { RuntimeError } from "../../errors.js";
import type { Clock } from "../../ports.js";
import { addressOf, type SessionRequest } from "./session-request.js";

export interface GuessingOptions<Request = SessionRequest> {
  /** Different unknown tokens of one client in a minute, above which more are refused. Default 20. */
  readonly perMinute?: number;
  /** Clients that are remembered; beyond it the one remembered longest is forgotten. Default 10,000. */
  readonly maxClients?: number;
  /**
   * Whom a request counts against. Default: its address (of IPv6 the first 64 bits), as the framework gives it: behind a proxy tell the
   * framework whom to trust (`trustProxy`, `trust proxy`), or all clients are one.
   */
  readonly client?: (request: Request) => string;
}

export interface Excess {
  readonly perMinute: number;
  /** When the minute ends. */
  readonly retryAfterMs: number;
  /** The first one of this client in this minute. */
  readonly isFirst: boolean;
}

const WINDOW_MS = 60_000;

interface Window {
  readonly endsAt: number;
  /** 48 bits of each token's hash. */
  readonly tokens: Set<number>;
  isRefused: boolean;
}

/**
 * Counts tokens that lead nowhere, each once: a browser whose session ended goes on sending its cookie, and is no guesser. Only requests
 * that bring another such token are refused: who shares an address with a guesser and has a session notices nothing. A
 * fixed window per client, in this process only.
 */
export class GuessingLimiter<Request extends SessionRequest> {
  readonly #perMinute: number;
  readonly #maxClients: number;
  readonly #client: (request: Request) => string;
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor({ perMinute = 20, maxClients = 10_000, client = clientOf }: GuessingOptions<Request>, clock: Clock) {
    for (const [key, value] of Object.entries({ perMinute, maxClients })) {
      if (Number.isInteger(value) && value > 0) continue;
      const message = `expected guessing.${key} to be a whole number above 0, got ${value}`;
      throw new RuntimeError("config-invalid", message, { key: `guessing.${key}` });
    }
    this.#perMinute = perMinute;
    this.#maxClients = maxClients;
    this.#client = client;
    this.#clock = clock;
  }

  /** Undefined: not too many. */
  count(request: Request, token: string): Excess | undefined {
    const now = this.#clock.now();
    const client = this.#client(request);
    let window = this.#windows.get(client);
    if (window === undefined || now >= window.endsAt) {
      window = { endsAt: now + WINDOW_MS, tokens: new Set(), isRefused: false };
      this.#windows.delete(client);
      this.#forgetOne();
      this.#windows.set(client, window);
    }
    const short = createHash("sha256").update(token).digest().readUIntBE(0, 6);
    if (window.tokens.has(short)) return undefined;
    if (window.tokens.size < this.#perMinute) {
      window.tokens.add(short);
      return undefined;
    }
    const isFirst = !window.isRefused;
    window.isRefused = true;
    return { perMinute: this.#perMinute, retryAfterMs: window.endsAt - now, isFirst };
  }

  #forgetOne(): void {
    if (this.#windows.size < this.#maxClients) return;
    for (const oldest of this.#windows.keys()) {
      this.#windows.delete(oldest);
      return;
    }
  }
}

/** An IPv6 client commands at least a /64. */
function clientOf(request: SessionRequest): string {
  const address = addressOf(request) ?? "";
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from(
    { length: tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length) },
    () => "0",
  );
  return [...groups, ...zeros, ...last].slice(0, 4).join(":");
}
