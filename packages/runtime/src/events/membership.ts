import type { Broker, Subscriber, Subscription } from "../broker/broker.js";
import type { Logger } from "../log.js";
import { type Ports, sleep } from "../ports.js";
import { isUnavailable } from "./parked-events.js";
import { retryDelayMs } from "./retry-delay.js";

export interface MembershipOptions {
  readonly broker: Broker;
  readonly subscription: Subscription;
  readonly ports: Ports;
  readonly logger: Logger;
  /** Tried again also after what is nobody's outage, such as a broker of other settings. Default: then `start` rejects. */
  readonly isPatient?: boolean;
}

const BACKOFF = { initialDelayMs: 200, maxDelayMs: 5_000 };

/** One who is a member of a group from its start to its stop, also when the broker comes later than it does. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #closing = new AbortController();
  #started: Promise<void> | undefined;
  #joining: Promise<void> = Promise.resolve();
  #subscriber: Subscriber | undefined;
  #outage: string | null = null;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Aborted when it stops. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Whether it has joined. */
  get isSubscribed(): boolean {
    return this.#subscriber !== undefined && !this.signal.aborted;
  }

  get subscriber(): Subscriber | undefined {
    return this.#subscriber;
  }

  /** Why it has not joined, as it was said last; null: it has, or was never refused. */
  get outage(): string | null {
    return this.#outage;
  }

  /** Resolves after the first try; a broker or a store that does not answer is tried again in the background. Rejects with other errors. */
  start(): Promise<void> {
    const { subscription, logger, isPatient = false } = this.#options;
    this.#started ??= this.#subscribe().catch((error: unknown) => {
      if (!isPatient && !isUnavailable(error)) throw error;
      logger.warn({ group: subscription.group, error: String(error) }, "a group could not be joined; trying again");
      this.#joining = this.#subscribeLater();
    });
    return this.#started;
  }

  async stop(graceMs?: number): Promise<void> {
    this.#closing.abort();
    await this.#started?.catch(() => {});
    await this.#joining;
    await this.#subscriber?.stop(graceMs);
  }

  async #subscribe(): Promise<void> {
    const { broker, subscription } = this.#options;
    try {
      await broker.open();
      const joined = await broker.subscribe(subscription);
      this.#outage = null;
      if (this.signal.aborted) await joined.stop();
      else this.#subscriber = joined;
    } catch (error) {
      this.#outage = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  async #subscribeLater(): Promise<void> {
    const { ports, logger, subscription } = this.#options;
    for (let failures = 1; this.#subscriber === undefined; failures += 1) {
      await sleep(ports.clock, retryDelayMs(BACKOFF, failures, ports.random), this.signal);
      if (this.signal.aborted) return;
      try {
        await this.#subscribe();
      } catch (error) {
        if (isUnavailable(error)) continue;
        logger.error({ group: subscription.group, error: String(error) }, "a group could not be joined");
      }
    }
  }
}
