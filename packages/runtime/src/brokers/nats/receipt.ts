import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import { idOf } from "./envelope.js";
import { streamInfo } from "./stream.js";

/**
 * `<when the stream was made> <sequence> <id>`. The time shows a stream that was made anew. The id shows one that went back to an older
 * state, and where other messages have the sequences of lost ones.
 */
export function writeReceipt(created: string, sequence: number, id: string): string {
  return `${created} ${sequence} ${id}`;
}

/**
 * Of two messages, the receipt that stands for both: the later one, in the older stream where a stream was made anew between them, for what
 * lay in that one is gone.
 */
export function coveringReceipt(one: string, other: string): string {
  const [created = "", sequence] = one.split(" ");
  const [otherCreated = "", otherSequence] = other.split(" ");
  if (created !== otherCreated) return created < otherCreated ? one : other;
  return Number(sequence) >= Number(otherSequence) ? one : other;
}

/** `created`: of the stream as it is; null: there is none. */
export interface Holding {
  readonly holds: boolean;
  readonly created: string | null;
}

/** Rejects with the driver's errors. */
export async function holdingOf(jsm: JetStreamManager, stream: string, receipt: string): Promise<Holding> {
  const info = await streamInfo(jsm, stream);
  if (info === null) return { holds: false, created: null };
  const [created, sequence, id] = receipt.split(" ");
  const seq = Number(sequence);
  if (created !== info.created || !Number.isSafeInteger(seq) || seq < 1) return { holds: false, created: info.created };
  const { first_seq: first, last_seq: last } = info.state;
  if (seq > last) return { holds: false, created };
  // It was there in its time: what goes by age goes from the front.
  if (seq < first) return { holds: true, created };
  const stored: StoredMsg | null = await jsm.streams.getMessage(stream, { seq });
  return { holds: stored === null || idOf(stored.header) === id, created };
}
