import type { Logger } from "../log.js";
import type { Clock } from "../ports.js";
import type { ExpiredSession } from "../store/session-store.js";
import type { Origin } from "./manager.js";
import { boundOrigin } from "./session-bounds.js";
import type { SessionEvent, SessionListener } from "./session-events.js";

/**
 * Tells the log and the listener what happened to sessions. A call never waits for the listener and never fails by it.
 * Only for the expired is an answer waited for, within a bound: who did not confirm is told again (session-sweep.ts).
 */
export class SessionAudit {
  readonly #listener: SessionListener | undefined;
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** Of deliveries that were not confirmed yet, those that `settled` waits for. */
  readonly #underWay = new Set<Promise<boolean>>();

  constructor(listener: SessionListener | undefined, logger: Logger, clock: Clock) {
    this.#listener = listener;
    this.#logger = logger;
    this.#clock = clock;
  }

  tell(happened: Happening, origin: Origin = {}): void {
    const event: SessionEvent = { ...happened, at: this.#clock.now(), origin: boundOrigin(origin) };
    this.#log(event);
    const delivery = this.#deliver(event);
    if (!delivery || this.#underWay.size >= MAX_AWAITED) return;
    this.#underWay.add(delivery);
    void delivery.finally(() => this.#underWay.delete(delivery));
  }

  /** Which of them the listener confirmed: by `LISTENER_WAIT_MS`, or when `signal` aborts. Never throws. */
  async tellExpired(expired: readonly ExpiredSession[], signal: AbortSignal): Promise<ExpiredSession[]> {
    const confirmed: ExpiredSession[] = [];
    const deliveries = expired.map(async (session) => {
      const { id, subject, kind, expiredAt } = session;
      const event = { kind: "expired", id, subject, expiredAt, session: kind } as const;
      const isConfirmed = await this.#deliver({ ...event, at: this.#clock.now(), origin: {} });
      if (isConfirmed !== false) confirmed.push(session);
    });
    const isInTime = await this.#within(LISTENER_WAIT_MS, Promise.all(deliveries), signal);
    // What is confirmed later than this is told again.
    const inTime = [...confirmed];
    for (const { id, kind } of inTime) this.#logger.info({ sessionId: id, kind }, "session expired");
    if (!isInTime && inTime.length < expired.length) {
      const facts = { sessions: expired.length - inTime.length, waitedMs: LISTENER_WAIT_MS };
      this.#logger.warn(facts, "the listener of session events did not confirm in time; it is told again");
    }
    return inTime;
  }

  /** When the listener is done with what it was told, or the wait is over. */
  async settled(): Promise<void> {
    await this.#within(LISTENER_WAIT_MS, Promise.all(this.#underWay));
  }

  /** Whether the listener took it; undefined: there is none. Never rejects. */
  #deliver(event: SessionEvent): Promise<boolean> | undefined {
    const failed = (err: unknown): boolean => {
      const facts = { err, event: event.kind, ...("id" in event && { sessionId: event.id }) };
      this.#logger.error(facts, "the listener of session events failed");
      return false;
    };
    try {
      const taking = this.#listener?.(event);
      return this.#listener && Promise.resolve(taking).then(() => true, failed);
    } catch (err) {
      return Promise.resolve(failed(err));
    }
  }

  /** Whether the work was done by then. */
  #within(waitMs: number, work: Promise<unknown>, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (isInTime: boolean): void => {
        cancel();
        signal?.removeEventListener("abort", stop);
        resolve(isInTime);
      };
      const stop = (): void => finish(false);
      const cancel = this.#clock.after(waitMs, stop);
      if (signal?.aborted) stop();
      signal?.addEventListener("abort", stop);
      void work.then(() => finish(true));
    });
  }

  #log(event: SessionEvent): void {
    const { kind, id, at: _at, origin: _origin, subject: _subject, ...facts } = { id: null, subject: null, ...event };
    const [level, message] = LOGGED[kind];
    this.#logger[level]({ ...(id !== null && { sessionId: id }), ...facts }, message);
  }
}

/** How long a listener has for an expired session, or at the close for everything. */
export const LISTENER_WAIT_MS = 10_000;

/** A listener that hangs keeps its promises; nothing here grows with them. */
const MAX_AWAITED = 1_000;

/** An event but its time and origin. */
type Happening = WithoutPlace<SessionEvent>;
type WithoutPlace<Event> = Event extends SessionEvent ? Omit<Event, "at" | "origin"> : never;

/** Lines hold no subject and no address: those are for the listener, whose records are guarded as personal data. */
const LOGGED: Readonly<Record<SessionEvent["kind"], readonly [level: keyof Logger, message: string]>> = {
  created: ["info", "session created"],
  "signed-in": ["info", "signed in: session created"],
  "stepped-up": ["info", "signed in anew: session token rotated"],
  rotated: ["info", "session token rotated"],
  reused: ["warn", "a replaced session token was used: session ended"],
  revoked: ["info", "session ended"],
  evicted: ["info", "session ended to make room for a newer one"],
  expired: ["info", "session expired"],
  "limit-reached": ["info", "session refused: its subject has as many as it may"],
  "subject-revoked": ["info", "all sessions of a subject ended"],
  "all-revoked": ["warn", "all sessions ended"],
  guessing: ["warn", "a client tries session tokens"],
  // Anybody can send any number of them.
  "unknown-token": ["debug", "unknown session token"],
};
