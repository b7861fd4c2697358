import type { Broker } from "../broker/broker.js";
import { RuntimeError } from "../errors.js";
import type { Logger } from "../log.js";
import type { Ports } from "../ports.js";
import type { EventStore } from "../store/event-store.js";
import type { CloudEvent } from "./cloud-event.js";
import type { EventHandler, EventTransactionHandler } from "./event-context.js";
import type { Handling } from "./inbox.js";
import type { Backoff } from "./retry-delay.js";

export interface ConsumerOptions<Client = unknown> {
  /** Whoever made it closes it, after the consumer has stopped. */
  readonly broker: Broker;
  /** Where it is kept what was handled, and where parked events are. */
  readonly store: EventStore;
  /** All processes that handle these events together, each event once. `A-Z a-z 0-9 _ -`, at most 64 characters. */
  readonly group: string;
  /** `*` for one word, `>` for the rest. The same in every process of the group. */
  readonly subjects: readonly string[];
  /** Either this one, for an effect that lies elsewhere; */
  readonly handle?: EventHandler;
  /** or this one, for an effect in the store's database. */
  readonly handleWithin?: EventTransactionHandler<Client>;
  /** Whether the handler knows events of this type and version (`type`, `dataschema`); others are parked. Default: all. */
  readonly knows?: (event: CloudEvent) => boolean;
  /** After so many an event is parked. Default 10. */
  readonly attempts?: number;
  /** Of one attempt, ms. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * Events that share a transaction when they wait at the same time, at most; 1: none do. What a `handleWithin` sets for its transaction
   * (`set local`) then lasts for those after it; those of `handle` are kept together when they are done. SQLite has none. Default 32.
   */
  readonly batch?: number;
  /** Between attempts. Default: from 200 ms up to 60 s. */
  readonly backoff?: Partial<Backoff>;
  /** Events handled at the same time by this process, at most. Default: the broker's. */
  readonly concurrency?: number;
  /** How long this process may be silent before others get its events, ms. Default: the broker's. */
  readonly silenceMs?: number;
  /** Default: the system's. */
  readonly ports?: Ports;
  /** Default: none. */
  readonly logger?: Logger;
}

export interface ConsumerBounds {
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly backoff: Backoff;
  readonly batch: number;
}

/** Error: `config-invalid`. */
export function consumerBounds<Client>(options: ConsumerOptions<Client>): ConsumerBounds {
  const { attempts = 10, timeoutMs = 30_000, batch = 32 } = options;
  const backoff = { initialDelayMs: 200, maxDelayMs: 60_000, ...options.backoff };
  for (const [key, value] of Object.entries({ attempts, batch }))
    if (!(Number.isSafeInteger(value) && value >= 1)) throw invalid(key, "a whole number from 1", value);
  for (const [key, value] of Object.entries({ timeoutMs, ...backoff }))
    if (!(Number.isFinite(value) && value > 0)) throw invalid(key, "a number of milliseconds above 0", value);
  return { attempts, timeoutMs, backoff, batch };
}

/** Error: `config-invalid` unless exactly one of the two handlers is given. */
export function handlingOf<Client>({ handle, handleWithin }: ConsumerOptions<Client>): Handling<Client> {
  if (handle !== undefined && handleWithin === undefined) return { kind: "handle", handler: handle };
  if (handleWithin !== undefined && handle === undefined) return { kind: "within", handler: handleWithin };
  throw invalid("handler", "either handle or handleWithin", handle === undefined ? "none" : "both");
}

function invalid(key: string, expected: string, got: unknown): RuntimeError {
  return new RuntimeError("config-invalid", `expected ${key} of a consumer to be ${expected}, got ${String(got)}`, {
    key,
  });
}
