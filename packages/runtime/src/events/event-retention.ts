import { RuntimeError } from "../errors.js";

export interface EventRetention {
  /** How long events stay in the outbox after they were put, at least, ms: what a broker loses of them is sent again. Default 24 h. */
  readonly replayMs: number;
  /**
   * How long the ids of handled events are kept, ms; what comes again later is new. Default 7 days. It must be longer than `replayMs` and
   * `brokerMaxAgeMs` together: an event may be sent again at the end of the one, and lie in the broker as long as the other.
   */
  readonly handledMs: number;
  /** How long the broker keeps a message that nobody takes, ms. Default 3 days. */
  readonly brokerMaxAgeMs: number;
}

const HOUR_MS = 3_600_000;

export const DEFAULT_EVENT_RETENTION: EventRetention = {
  replayMs: 24 * HOUR_MS,
  handledMs: 7 * 24 * HOUR_MS,
  brokerMaxAgeMs: 3 * 24 * HOUR_MS,
};

/** Fills in defaults. Error: `config-invalid`, naming the key. */
export function eventRetention(partial: Partial<EventRetention> = {}): EventRetention {
  const retention = { ...DEFAULT_EVENT_RETENTION, ...partial };
  for (const [key, value] of Object.entries(retention))
    if (!(Number.isFinite(value) && value > 0))
      throw new RuntimeError("config-invalid", `expected ${key} to be a number above 0, got ${value}`, { key });
  const { replayMs, handledMs, brokerMaxAgeMs } = retention;
  if (handledMs > replayMs + brokerMaxAgeMs) return retention;
  const message = `expected handledMs above replayMs and brokerMaxAgeMs together (${replayMs + brokerMaxAgeMs}), got ${handledMs}: an event that comes again after its id was forgotten is handled twice`;
  throw new RuntimeError("config-invalid", message, { key: "handledMs" });
}
