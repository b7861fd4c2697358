import type { ConsumerInfo } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import type { Subscriber, Subscription } from "../../broker/broker.js";
import { isOfPattern } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { type CancelTimer, sleep } from "../../ports.js";
import { readAckSubject } from "./ack-subject.js";
import type { NatsSettings } from "./broker-options.js";
import type { Connection } from "./connection.js";
import { readMessage } from "./envelope.js";
import { consumerInfo, deleteConsumer, type GroupPlace, MAX_UNACKNOWLEDGED, subjectsIn } from "./group-consumer.js";
import { type GivenMessage, type KnownGroup, lookAtGroup } from "./group-look.js";
import { comeAgainIn, HANDLED, type HeldMessage, STILL_AT_IT } from "./held-message.js";
import { Lanes } from "./lanes.js";
import { Pull } from "./pull.js";

const CONCURRENCY = 32;
const SILENCE_MS = 30_000;
const GRACE_MS = 10_000;
/** A message that is wanted by the group and not by this member is given to another one, ms later. */
const PASS_ON_MS = 1_000;
/** Looks in vain, until a group that gives nothing is made anew. */
const STUCK_LOOKS = 3;
const LOOK_AGAIN_MS = 500;
const RETRY_MS = { first: 100, last: 30_000 } as const;

export interface MemberOptions {
  readonly connection: Connection;
  readonly settings: NatsSettings;
  readonly subscription: Subscription;
  readonly place: GroupPlace;
  readonly known: KnownGroup;
  /** The connection on which that was seen. */
  readonly generation: number;
  remakeStream(): Promise<void>;
  onStopped(member: Member): void;
}

export function silenceOf({ silenceMs = SILENCE_MS }: Subscription): number {
  return silenceMs;
}

/**
 * One member of a group. It holds a bounded number of messages, says every third of `silenceMs` that it still does, and answers for each: handled,
 * or when it should come again. A lost answer is harmless: the message comes again. A wrong one would not be: where a stream has lost its
 * end, a sequence may name another message by now. So after each reconnect nothing is answered or asked for until the group was looked at.
 */
export class Member implements Subscriber {
  readonly #options: MemberOptions;
  readonly #silenceMs: number;
  /** Twice what is handled at once: the next ones are here when a handler ends, and the rest is left to others. */
  readonly #capacity: number;
  readonly #held = new Map<number, HeldMessage>();
  readonly #lanes: Lanes<HeldMessage>;
  readonly #pull: Pull;
  readonly #unwatch: () => void;
  readonly #stopping = new AbortController();
  #unwanted: { readonly answerTo: string; readonly subject: string }[] = [];
  #known: KnownGroup;
  #newest: GivenMessage | null = null;
  /** The connection on which the group was found to be as known; 0: none. */
  #sureOf: number;
  #isLooking = false;
  #looksAgain = false;
  #isJudging = false;
  #givenSinceLook = 0;
  #looksInVain = 0;
  #stopped: Promise<void> | undefined;
  #cancelTimers = new Map<string, CancelTimer>();

  constructor(options: MemberOptions) {
    this.#options = options;
    const { connection, settings, subscription, place } = options;
    const { concurrency = CONCURRENCY } = subscription;
    this.#silenceMs = silenceOf(subscription);
    this.#capacity = 2 * concurrency;
    this.#known = options.known;
    this.#sureOf = options.generation;
    this.#lanes = new Lanes(concurrency, (held) => this.#handle(held));
    this.#pull = new Pull({
      ...{ connection, clock: settings.clock, stream: place.stream, group: place.group },
      onMessage: (msg) => this.#take(msg),
      onTrouble: (reason) => this.#meetTrouble(reason),
    });
    this.#unwatch = connection.watch({
      lost: () => {
        this.#pull.forget();
        this.#unwanted = [];
      },
      back: () => this.#look(),
    });
    this.#beatLater();
    this.#lookLater(this.#maySpeak ? settings.watchIntervalMs : LOOK_AGAIN_MS);
    this.#ask();
  }

  async lag(): Promise<number> {
    const { connection, place } = this.#options;
    const info = await connection.call(() => consumerInfo(connection.jsm, place));
    if (info !== null) return info.num_pending + info.num_ack_pending;
    const message = `expected the group ${place.group} on the stream ${place.stream}, it is gone; it is made anew by itself, try again later`;
    throw new RuntimeError("broker-unavailable", message, { group: place.group });
  }

  stop(graceMs: number = GRACE_MS): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    const { connection, settings, place } = this.#options;
    this.#stopping.abort();
    const closed = this.#pull.close();
    this.#giveBackWaiting();
    const over = new AbortController();
    await Promise.race([this.#lanes.whenIdle(), sleep(settings.clock, graceMs, over.signal)]);
    over.abort();
    await closed;
    for (const held of [...this.#held.values()]) {
      if (held.verdict === null) this.#answer(held, comeAgainIn(0));
      this.#giveUp(held);
    }
    for (const cancel of this.#cancelTimers.values()) cancel();
    this.#unwatch();
    // The server has what was answered before it is told that nobody is here any more.
    await connection.call(() => connection.nc.flush()).catch(() => {});
    if (place.ephemeral) await connection.call(() => deleteConsumer(connection.jsm, place)).catch(() => {});
    this.#options.onStopped(this);
  }

  #take(msg: Msg): void {
    const { settings, connection, subscription, place } = this.#options;
    const answerTo = msg.reply ?? "";
    const at = readAckSubject(answerTo);
    if (at === null) return;
    this.#givenSinceLook += 1;
    const { sequence, attempt, storedAt } = at;
    if (this.#stopping.signal.aborted) return connection.nc.publish(answerTo, comeAgainIn(0));
    const known = this.#held.get(sequence);
    if (known !== undefined) {
      // It took longer than the server waited, and is still here.
      known.answerTo = answerTo;
      known.surelyOursAt = settings.clock.monotonic();
      return this.#ask();
    }
    if (sequence > (this.#newest?.sequence ?? 0)) this.#newest = { sequence, storedAt };
    const message = readMessage(msg, settings.prefix, `${place.stream}:${sequence}`);
    if (!subscription.subjects.some((pattern) => isOfPattern(message.subject, pattern))) {
      this.#unwanted.push({ answerTo, subject: message.subject });
      void this.#judgeUnwanted();
      return;
    }
    const held: HeldMessage = {
      ...{ sequence, attempt, message, answerTo, generation: connection.generation },
      ...{ abort: new AbortController(), surelyOursAt: settings.clock.monotonic(), verdict: null, isGone: false },
    };
    this.#held.set(sequence, held);
    this.#lanes.add(message.key, held);
    this.#ask();
  }

  async #handle(held: HeldMessage): Promise<void> {
    const { subscription, settings, place } = this.#options;
    const { message, attempt, abort } = held;
    try {
      await subscription.handle({ message, attempt, signal: abort.signal });
      this.#answer(held, HANDLED);
    } catch (error) {
      settings.logger.debug(
        { group: place.group, event: message.id, attempt, error },
        "an event was not handled; it comes again",
      );
      this.#answer(held, comeAgainIn(this.#retryAfterMs(attempt)));
    }
  }

  #retryAfterMs(attempt: number): number {
    const usual = Math.min(RETRY_MS.first * 2 ** Math.min(attempt - 1, 30), RETRY_MS.last);
    try {
      const afterMs = this.#options.subscription.retryAfterMs?.(attempt) ?? usual;
      return Number.isFinite(afterMs) ? afterMs : usual;
    } catch {
      return usual;
    }
  }

  get #maySpeak(): boolean {
    const { connection } = this.#options;
    return connection.isUp && this.#sureOf === connection.generation;
  }

  #answer(held: HeldMessage, verdict: string): void {
    if (held.isGone) return;
    held.verdict = verdict;
    if (!this.#maySpeak) return;
    this.#options.connection.nc.publish(held.answerTo, verdict);
    this.#held.delete(held.sequence);
    this.#ask();
  }

  /** It stays in its lane while its handler runs. */
  #giveUp(held: HeldMessage): void {
    held.isGone = true;
    held.abort.abort();
    this.#held.delete(held.sequence);
  }

  #giveUpWhere(isLost: (held: HeldMessage) => boolean): void {
    for (const held of [...this.#held.values()]) if (isLost(held)) this.#giveUp(held);
    this.#lanes.drop((held) => held.isGone);
  }

  #giveBackWaiting(): void {
    this.#lanes.drop((held) => {
      this.#answer(held, comeAgainIn(0));
      return true;
    });
  }

  #ask(): void {
    if (this.#stopping.signal.aborted || !this.#maySpeak) return;
    const room = this.#capacity - this.#held.size;
    // Not one by one, unless somebody has nothing to do.
    if (room * 4 >= this.#capacity || this.#lanes.hasRoom) this.#pull.request(room);
  }

  #meetTrouble(reason: string): void {
    if (reason === "") return this.#ask();
    this.#sureOf = 0;
    this.#lookLater(LOOK_AGAIN_MS);
  }

  /**
   * The filter lets through what the group does not want, and also what it has wanted since members came that know more than this one. What it
   * wants is asked after the message came: an older answer could make a message lost that a newer member waits for.
   */
  async #judgeUnwanted(): Promise<void> {
    if (this.#isJudging) return;
    this.#isJudging = true;
    const { connection, place } = this.#options;
    while (this.#unwanted.length > 0) {
      const judged = this.#unwanted.splice(0);
      const { generation } = connection;
      const info = await connection.call(() => consumerInfo(connection.jsm, place)).catch(() => null);
      // They come again.
      if (info === null || generation !== connection.generation || !this.#maySpeak) continue;
      const wanted = subjectsIn(info, place.subjects);
      for (const { answerTo, subject } of judged) {
        const isWanted = wanted.some((pattern) => isOfPattern(subject, pattern));
        connection.nc.publish(answerTo, isWanted ? comeAgainIn(PASS_ON_MS) : HANDLED);
      }
    }
    this.#isJudging = false;
    this.#ask();
  }

  #beatLater(): void {
    this.#later("beat", this.#silenceMs / 3, () => {
      this.#beatLater();
      void this.#beat();
    });
  }

  async #beat(): Promise<void> {
    const { connection, settings } = this.#options;
    const { clock } = settings;
    const startedAt = clock.monotonic();
    this.#giveUpWhere(({ surelyOursAt }) => startedAt - surelyOursAt > this.#silenceMs);
    const told = [...this.#held.values()];
    if (told.length === 0 || !this.#maySpeak) return;
    for (const { answerTo } of told) connection.nc.publish(answerTo, STILL_AT_IT);
    try {
      await connection.call(() => connection.nc.flush());
      for (const held of told) held.surelyOursAt = startedAt;
    } catch {
      // The connection broke. What was told may not have been heard.
    }
  }

  #lookLater(afterMs: number): void {
    this.#later("look", afterMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#looksAgain = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    let isKnown = false;
    while (this.#looksAgain && !this.#stopping.signal.aborted) {
      this.#looksAgain = false;
      isKnown = await this.#lookOnce();
    }
    this.#isLooking = false;
    if (!this.#stopping.signal.aborted)
      this.#lookLater(isKnown ? this.#options.settings.watchIntervalMs : LOOK_AGAIN_MS);
  }

  /** False: it could not be seen. */
  async #lookOnce(): Promise<boolean> {
    const { connection, settings, place, remakeStream } = this.#options;
    const { generation } = connection;
    const isNewConnection = this.#sureOf !== generation;
    const isStuck = this.#looksInVain >= STUCK_LOOKS;
    const newest = isNewConnection ? this.#newest : null;
    try {
      const look = await connection.call(() =>
        lookAtGroup(connection.jsm, place, { known: this.#known, newest, isStuck, remakeStream }),
      );
      const { known, info, why } = look;
      this.#known = known;
      if (why !== null) {
        settings.logger.error(
          { group: place.group, stream: place.stream, why },
          "a group was made anew; events may come twice",
        );
        this.#newest = null;
        this.#giveUpWhere(() => true);
        this.#unwanted = [];
      } else {
        // A server that was killed may have forgotten that it gave these out, and gives them out again.
        const { stream_seq: given } = info.delivered;
        this.#giveUpWhere((held) => held.generation !== generation && held.sequence > given);
      }
      this.#countVainLook(info);
      this.#sureOf = generation;
      for (const held of [...this.#held.values()]) if (held.verdict !== null) this.#answer(held, held.verdict);
      this.#ask();
      return true;
    } catch (error) {
      settings.logger.debug({ group: place.group, error }, "a group could not be looked at");
      return false;
    }
  }

  #countVainLook(info: ConsumerInfo): void {
    const waits = info.num_pending > 0 && info.num_ack_pending < (info.config.max_ack_pending ?? MAX_UNACKNOWLEDGED);
    const isInVain = waits && this.#pull.isOut && this.#givenSinceLook === 0;
    this.#looksInVain = isInVain ? this.#looksInVain + 1 : 0;
    this.#givenSinceLook = 0;
  }

  #later(what: string, afterMs: number, act: () => void): void {
    this.#cancelTimers.get(what)?.();
    const cancel = this.#options.settings.clock.after(afterMs, act);
    this.#cancelTimers.set(what, cancel);
    if (this.#stopping.signal.aborted && what !== "beat") cancel();
  }
}
