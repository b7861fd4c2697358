import type { EventMessage } from "./event-message.js";

/**
 * Carries events from one process to others, at least once. Who needs more stands on both sides of it: an outbox sends again what may
 * not have arrived, and whoever handles events recognizes those that he has handled. A call that cannot be answered throws
 * `broker-unavailable`; its effect is then unknown and the caller sends the same again. Where `details.sent` is false there was none.
 */
export interface Broker {
  /** For messages and metrics: `nats`. */
  readonly name: string;
  /**
   * Connects, and makes what it keeps messages in, where it is not there. Errors: `broker-unavailable`, `broker-incompatible`. Twice is
   * once. From here on a lost connection is made again without end; meanwhile calls throw at once.
   */
  open(): Promise<void>;
  /** Stops all subscriptions, waits for what they handle, then disconnects. Twice is once. */
  close(): Promise<void>;
  /** Resolves when the broker answers and can store. */
  ping(): Promise<void>;
  /**
   * Stores messages, those of one key in the order given. Resolves when all are answered, with one result each; throws when of some it is not
   * known. A message whose id was published before, as far back as the broker remembers, is stored once.
   */
  publish(messages: readonly EventMessage[]): Promise<PublishResult[]>;
  /**
   * Whether everything up to what this receipt was given for is still kept, or was in its time. False: the broker has lost its end or
   * everything, and whoever has the messages should publish them again.
   */
  holds(receipt: string): Promise<boolean>;
  /**
   * Joins a group. It resolves when messages published from then on reach the group. Errors: `input-invalid` for a name or a pattern,
   * `broker-unavailable`.
   */
  subscribe(subscription: Subscription): Promise<Subscriber>;
}

/**
 * `receipt`: says where it lies, to a later `holds`; that of a message covers all before it in the same call, wherever they lie, also those
 * that were stored earlier. `rejected`: this broker will never take it; sending it again cannot help.
 */
export type PublishResult =
  | { readonly kind: "stored"; readonly receipt: string }
  | { readonly kind: "rejected"; readonly reason: string };

/**
 * A durable group: each message reaches one of its members, again and again until one has handled it. It begins with the oldest
 * message kept, and later goes on where it was, also when nobody was there for a while.
 */
export interface Subscription {
  /** `A-Z a-z 0-9 _ -`, at most 64 characters. Two subscriptions of one name are members of one group, and want the same subjects. */
  readonly group: string;
  /** One or more, `*` for one word, `>` for the rest. A message of several of them comes once. */
  readonly subjects: readonly string[];
  /** Handled at the same time by this member, at most. Default 32. */
  readonly concurrency?: number;
  /** How long a member may be silent before its messages go to others, ms. It is not silent while `handle` runs. Default 30,000. */
  readonly silenceMs?: number;
  /**
   * True: the group is its one member's own, and is forgotten with it: when that stops, or some time after its process has died (minutes; a broker
   * that has no clock of its own may keep the name). Default false.
   */
  readonly ephemeral?: boolean;
  /**
   * Handles one message. Those of one key are handled one after the other by a member, in the order in which they were published, unless
   * one of them came again. When it rejects, the message comes again, after `retryAfterMs` of the attempt.
   */
  handle(delivery: Delivery): Promise<void>;
  /** For a message that was not handled. Default: exponential from 100 ms up to 30 s. */
  retryAfterMs?(attempt: number): number;
}

export interface Delivery {
  readonly message: EventMessage;
  /** How often it was given to the group, from 1. At least: a broker may forget. */
  readonly attempt: number;
  /** Aborted when the subscription stops and does not wait any longer, or the message has gone to another member. */
  readonly signal: AbortSignal;
}

export interface Subscriber {
  /** Takes no more messages and waits for those under way, at most `graceMs` (default 10,000). They come again elsewhere. Twice is once. */
  stop(graceMs?: number): Promise<void>;
  /** Messages of the group that nobody has handled yet; a broker may count some that the group will pass by. Error: `broker-unavailable`. */
  lag(): Promise<number>;
  /** Whether messages of that key are given to this member for the time being. Left out by brokers that share them out one by one. */
  isNear?(key: string): boolean;
}
