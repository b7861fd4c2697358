import type { PublishResult } from "../../broker/broker.js";
import { checkEvent, type EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import type { Connection } from "./connection.js";
import { isAnswer, isNobodyThere, JETSTREAM } from "./driver-error.js";
import { writeHeaders } from "./envelope.js";
import { coveringReceipt, writeReceipt } from "./receipt.js";

export interface Publishing {
  readonly connection: Connection;
  readonly prefix: string;
  /** For each message, ms. */
  readonly timeoutMs: number;
  /** When the stream was made, as far as known. */
  created(): string;
  /** Makes the stream where it is gone. */
  remakeStream(): Promise<void>;
}

/**
 * All keys at once, and of a key the next message when the one before is stored. On their way together, the first could meet a server
 * that is not ready yet and the second one that is: stored in the wrong order, and not put right by publishing both again, because
 * the second is then known. Rejects with what the first failure threw, when all keys have ended.
 */
export async function publishAll(messages: readonly EventMessage[], publishing: Publishing): Promise<PublishResult[]> {
  const results: PublishResult[] = [];
  const ofKeys = new Map<string, number[]>();
  for (const [at, message] of messages.entries()) {
    const ofKey = ofKeys.get(message.key);
    if (ofKey === undefined) ofKeys.set(message.key, [at]);
    else ofKey.push(at);
  }
  const publishKey = async (places: readonly number[]): Promise<void> => {
    for (const at of places) {
      const message = messages[at];
      if (message !== undefined) results[at] = await publishOne(message, publishing);
    }
  };
  const ends = await Promise.allSettled([...ofKeys.values()].map(publishKey));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return covering(results);
}

/** Keys overtake each other, and what was stored before lies where it lies: a receipt is of the last of all up to its message. */
function covering(results: readonly PublishResult[]): PublishResult[] {
  let last: string | undefined;
  return results.map((result) => {
    if (result.kind !== "stored") return result;
    last = last === undefined ? result.receipt : coveringReceipt(last, result.receipt);
    return { kind: "stored", receipt: last };
  });
}

async function publishOne(message: EventMessage, publishing: Publishing): Promise<PublishResult> {
  const refusal = refusalOf(message);
  if (refusal !== null) return refusal;
  const { connection, prefix, timeoutMs: timeout } = publishing;
  const headers = writeHeaders(connection.newHeaders(), message);
  const bytes = Buffer.byteLength(message.body) + Buffer.byteLength(String(headers));
  const most = connection.nc.info?.max_payload;
  if (most !== undefined && bytes > most)
    return rejected(
      `expected at most ${most} bytes with headers, as the server's max_payload is, got ${bytes}; raise it`,
    );
  const send = () => connection.js.publish(`${prefix}.${message.subject}`, message.body, { headers, timeout });
  try {
    const ack = await send().catch(async (error: unknown) => {
      // Nothing was stored, so that sending it again is no second message.
      if (!isNobodyThere(error)) throw error;
      await publishing.remakeStream();
      return send();
    });
    return { kind: "stored", receipt: writeReceipt(publishing.created(), ack.seq, message.id) };
  } catch (error) {
    if (isAnswer(error, JETSTREAM.messageTooLarge))
      return rejected("expected a message that the stream takes, got one above its max_msg_size");
    throw error;
  }
}

function refusalOf(message: EventMessage): PublishResult | null {
  try {
    checkEvent(message);
    return null;
  } catch (error) {
    if (error instanceof RuntimeError) return rejected(error.message);
    throw error;
  }
}

function rejected(reason: string): PublishResult {
  return { kind: "rejected", reason };
}
