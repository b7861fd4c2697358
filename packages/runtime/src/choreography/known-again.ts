import type { EventMessage } from "../broker/event-message.js";
import { isUnavailable, type ParkedEvents } from "../events/parked-events.js";
import type { Logger } from "../log.js";
import { type Ports, sleep } from "../ports.js";

/** How often it is looked. */
const PAUSE_MS = 5_000;

export interface KnownAgainOptions {
  readonly parked: ParkedEvents;
  /** Whether this instance does by now. */
  readonly knows: (event: EventMessage) => boolean;
  readonly ports: Ports;
  readonly logger: Logger;
}

/**
 * Events of a definition that the instance to which they come does not know are parked. One that knows it takes them from there: another
 * instance now, as during a deployment, or any of them later.
 */
export class KnownAgain {
  readonly #options: KnownAgainOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: KnownAgainOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run(this.#stop.signal);
  }

  stop(): Promise<void> {
    this.#stop.abort();
    return this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { ports, logger } = this.#options;
    while (!signal.aborted) {
      await this.#look(signal).catch((error: unknown) => {
        logger.warn({ error: String(error) }, "parked events could not be looked through; trying again");
      });
      await sleep(ports.clock, PAUSE_MS, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { parked, knows } = this.#options;
    let cursor: string | null | undefined;
    while (cursor !== null && !signal.aborted) {
      const page = await parked.list(cursor === undefined ? {} : { cursor });
      for (const { event, error } of page.items) {
        if (error.code !== "event-unknown" || !knows(event)) continue;
        await parked.redrive(event.id).catch((reason: unknown) => {
          // Not possible for something else: it stays where it is.
          if (isUnavailable(reason)) throw reason;
        });
      }
      cursor = page.nextCursor;
    }
  }
}
