import type { RuntimeError } from "../../errors.js";
import type { Logger } from "../../log.js";
import type { CancelTimer, Clock } from "../../ports.js";
import type { RedisConnection, TrackedConnection } from "./connection.js";
import type { RedisConnectionOptions } from "./driver.js";
import { Invalidations, type Listening } from "./invalidations.js";

export interface TrackingOptions {
  readonly connection: RedisConnection;
  readonly tracked: TrackedConnection;
  readonly url: string;
  readonly connectionOptions: RedisConnectionOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly staleMs: number;
  /** These keys changed; null: whatever was read may have changed. */
  readonly changed: (keys: readonly string[] | null) => void;
  /** What was read before is tracked no more. */
  readonly reset: () => void;
}

/** A beat that came back: both connections lived when it was sent, and what had changed by then has been told. */
interface Beat {
  readonly sentAt: number;
  readonly wallSentAt: number;
  /** The server's clock when it saw the beat, which was later than it was sent. */
  readonly serverTime: number;
}

const RETRY_MS = 200;

/**
 * The server remembers what one connection reads and tells another one what of it changes (CLIENT TRACKING with REDIRECT).
 *
 *   - Both must end at the same process of a server: after a failover one may still be at the old one, where client ids mean other
 *     clients. It is asked, on both.
 *   - When either is lost, nothing that was read counts any more, and tracking begins anew.
 *   - Either may be lost without a word. So every half of `staleMs` a beat goes out: PING where changes are told, TIME where is
 *     read. Its PING comes back after all that was told before; its TIME shows that the server still tracked until then. What
 *     changed before the newest beat that came back was sent is therefore known, and `isCurrent` is whether that is less
 *     than `staleMs` ago.
 */
export class Tracking {
  readonly #options: TrackingOptions;
  readonly #invalidations: Invalidations;
  #listening: Listening | undefined;
  #isConnected = false;
  #isOpen = false;
  /** Counts what begins anew, so that an answer to the one before is told apart. */
  #turn = 0;
  #isTracking = false;
  #beat: Beat | undefined;
  #cancelTimer: CancelTimer = () => {};
  #settled: (() => void) | undefined;

  constructor(options: TrackingOptions) {
    this.#options = options;
    this.#invalidations = new Invalidations(options.url, options.connectionOptions, {
      invalidated: (keys) => options.changed(keys),
      listening: (listening) => {
        this.#listening = listening;
        this.#begin();
      },
      lost: () => {
        this.#listening = undefined;
        this.#begin();
      },
      refused: (error) => this.#giveUp(error),
    });
    options.tracked.watch({
      lost: () => {
        this.#isConnected = false;
        this.#begin();
      },
      ready: () => {
        this.#isConnected = true;
        this.#begin();
      },
    });
  }

  /** After the connection that reads. Resolves when reads are tracked, or when that could not be had; it is then tried again. */
  async open(): Promise<void> {
    this.#isOpen = true;
    const settled = new Promise<void>((resolve) => {
      this.#settled = resolve;
    });
    await this.#invalidations.open();
    const { connectTimeoutMs = 2_000 } = this.#options.connectionOptions;
    const cancel = this.#options.clock.after(connectTimeoutMs, () => this.#settled?.());
    await settled;
    cancel();
  }

  close(): void {
    this.#isOpen = false;
    this.#begin();
    this.#invalidations.close();
    this.#settled?.();
  }

  /** What is read from now on is told when it changes. */
  get isTracking(): boolean {
    return this.#isTracking;
  }

  /** Whether everything that changed `staleMs` ago or before has been told. */
  isCurrent(): boolean {
    const beat = this.#beat;
    if (beat === undefined) return false;
    const { clock, staleMs } = this.#options;
    // By the wall clock as well: the other one stands still while the machine sleeps.
    return clock.monotonic() - beat.sentAt < staleMs && Math.abs(clock.now() - beat.wallSentAt) < staleMs;
  }

  /** The server's clock, or a little later, never earlier: what is over by it may still live. While `isCurrent`. */
  serverTimeAtMost(): number {
    const beat = this.#beat;
    if (beat === undefined) return Number.POSITIVE_INFINITY;
    return beat.serverTime + this.#options.clock.monotonic() - beat.sentAt;
  }

  /** Resolves when all that changed before the call has been told. */
  async catchUp(): Promise<void> {
    if (this.#isTracking) await this.#invalidations.ping();
  }

  #begin(): void {
    this.#turn += 1;
    this.#cancelTimer();
    this.#beat = undefined;
    if (this.#isTracking) {
      this.#isTracking = false;
      this.#options.reset();
    }
    if (this.#isOpen && this.#isConnected && this.#listening) void this.#start(this.#listening, this.#turn);
  }

  async #start({ clientId, serverRun }: Listening, turn: number): Promise<void> {
    const { tracked } = this.#options;
    try {
      const isSame = (await tracked.serverRun()) === serverRun;
      if (turn !== this.#turn) return;
      if (!isSame) return this.#later(turn, () => this.#invalidations.reconnect());
      await tracked.track(clientId);
      if (turn !== this.#turn) return;
      this.#isTracking = true;
      await this.#sendBeat(turn);
    } catch (error) {
      if (turn !== this.#turn) return;
      if ((error as RuntimeError).code === "store-incompatible") return this.#giveUp(error as Error);
      this.#later(turn, () => this.#begin());
    } finally {
      if (this.#beat) this.#settled?.();
    }
  }

  async #sendBeat(turn: number): Promise<void> {
    const { clock, connection, staleMs } = this.#options;
    const [sentAt, wallSentAt] = [clock.monotonic(), clock.now()];
    const answers = Promise.all([connection.time(), this.#invalidations.ping()]);
    const beat = await answers.then(
      ([serverTime]) => ({ sentAt, wallSentAt, serverTime }),
      () => undefined,
    );
    if (turn !== this.#turn) return;
    // One that was lost changes nothing: the one before it gets too old.
    this.#beat = beat ?? this.#beat;
    const waitMs = Math.max(0, sentAt + staleMs / 2 - clock.monotonic());
    this.#cancelTimer = clock.after(waitMs, () => void this.#sendBeat(turn));
  }

  #later(turn: number, act: () => void): void {
    this.#cancelTimer = this.#options.clock.after(RETRY_MS, () => {
      if (turn === this.#turn) act();
    });
  }

  #giveUp(error: Error): void {
    const message = "Redis does not let this user track what it reads; every load asks Redis, as without a near cache";
    this.#options.logger.warn({ err: error }, message);
    this.#settled?.();
  }
}
