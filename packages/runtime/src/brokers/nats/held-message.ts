import type { EventMessage } from "../../broker/event-message.js";

/** A message that a member was given and has not answered for. */
export interface HeldMessage {
  readonly sequence: number;
  readonly attempt: number;
  readonly message: EventMessage;
  readonly abort: AbortController;
  /** Of the connection on which it came. */
  readonly generation: number;
  /** Where the answer goes; that of the newest delivery. */
  answerTo: string;
  /** The server is known to count it as this member's since then, ms of the monotonic clock. */
  surelyOursAt: number;
  /** What is to be said of it as soon as that is safe. */
  verdict: string | null;
  /** It has gone to another member, or will: nothing is said of it any more. */
  isGone: boolean;
}

export const HANDLED = "+ACK";
export const STILL_AT_IT = "+WPI";

/** Nanoseconds, as JetStream has all durations. */
export function comeAgainIn(delayMs: number): string {
  return delayMs > 0 ? `-NAK {"delay":${Math.round(delayMs * 1_000_000)}}` : "-NAK";
}
