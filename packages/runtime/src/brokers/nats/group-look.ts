import type { ConsumerInfo, JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { isAnswer, JETSTREAM } from "./driver-error.js";
import { addConsumer, consumerInfo, deleteConsumer, type GroupPlace, type GroupStart } from "./group-consumer.js";
import { streamInfo } from "./stream.js";

/** A consumer made anew so soon after the first one has nothing yet that could be mistaken. */
const SAME_MS = 1_000;

/** What a member knows of its group and of the stream, to see whether they are still the same. */
export interface KnownGroup {
  /** When they were made. */
  readonly stream: string;
  readonly consumer: string;
  /** All of the stream up to here was handled. */
  readonly handledUpTo: number;
}

export interface GivenMessage {
  readonly sequence: number;
  readonly storedAt: string;
}

export interface LookOptions {
  readonly known: KnownGroup;
  /** The last message of the stream that this member was given; null: none, or that is known to be there. */
  readonly newest: GivenMessage | null;
  /** Messages wait, and nobody was given one for a while. */
  readonly isStuck: boolean;
  /** Makes the stream where it is gone. */
  remakeStream(): Promise<void>;
}

/** `why`: the group was made anew, and what was given out before is no longer this member's; null: all is as it was. */
export interface GroupLook {
  readonly known: KnownGroup;
  readonly info: ConsumerInfo;
  readonly why: string | null;
}

/**
 * A server that lost what it had acknowledged says nothing: its stream has other messages under the sequences that a group has done
 * with, or a group stands behind the stream's end and waits there until it is reached again (nats-server issues 4566 and 5412). Both would lose
 * messages, so such a group is made anew. Where its place is known and means what it meant, it goes on from there; else
 * from the oldest message, and many come twice. Rejects with the driver's errors.
 */
export async function lookAtGroup(jsm: JetStreamManager, place: GroupPlace, options: LookOptions): Promise<GroupLook> {
  const { known } = options;
  const found = await consumerInfo(jsm, place).catch((error: unknown) => {
    if (isAnswer(error, JETSTREAM.streamNotFound)) return null;
    throw error;
  });
  let stream = await streamInfo(jsm, place.stream);
  if (stream === null) {
    await options.remakeStream();
    stream = await jsm.streams.info(place.stream);
  }
  const isSameStream = stream.created === known.stream;
  const anew = async (why: string, start: GroupStart): Promise<GroupLook> => {
    if (found !== null) await deleteConsumer(jsm, place);
    const info = await addConsumer(jsm, place, start);
    return { known: knownOf(stream, info), info, why };
  };
  const goOn = known.handledUpTo + 1;
  if (found === null) {
    const isSame = isSameStream && !(await isRewritten(jsm, stream, options.newest));
    return anew("it was deleted", isSame ? goOn : "oldest");
  }
  const { last_seq: last } = stream.state;
  if (found.delivered.stream_seq > last || found.ack_floor.stream_seq > last)
    return anew("it was behind the end of the stream, which has lost messages", "oldest");
  if (!isSameStream || !isSameTime(found.created, known.consumer))
    return { known: knownOf(stream, found), info: found, why: "somebody made it anew" };
  if (await isRewritten(jsm, stream, options.newest))
    return anew("the stream has lost messages and has others in their place", "oldest");
  if (options.isStuck) return anew("messages waited and nobody was given one", goOn);
  return { known: knownOf(stream, found), info: found, why: null };
}

export function knownOf(stream: StreamInfo, info: ConsumerInfo): KnownGroup {
  return { stream: stream.created, consumer: info.created, handledUpTo: info.ack_floor.stream_seq };
}

/** Of a consumer servers have another time after their first restart, less than a millisecond apart: seen with 2.9.10. */
function isSameTime(one: string, other: string): boolean {
  return Math.abs(Date.parse(one) - Date.parse(other)) < SAME_MS;
}

async function isRewritten(jsm: JetStreamManager, stream: StreamInfo, newest: GivenMessage | null): Promise<boolean> {
  if (newest === null) return false;
  const { first_seq: first, last_seq: last } = stream.state;
  if (newest.sequence > last) return true;
  if (newest.sequence < first) return false;
  const stored = await jsm.streams.getMessage(stream.config.name, { seq: newest.sequence });
  return stored !== null && nanosOf(stored.timestamp) !== newest.storedAt;
}

/** An RFC 3339 time with up to nine digits of a second, as ns since the epoch. */
export function nanosOf(timestamp: string): string {
  const [, seconds = "", fraction = "", zone = ""] = /^(.{19})(?:\.(\d{1,9}))?(.+)$/.exec(timestamp) ?? [];
  return `${Date.parse(`${seconds}${zone}`) / 1_000}${fraction.padEnd(9, "0")}`;
}
