import type { Msg, MsgHdrs } from "@nats-io/transport-node";
import type { EventMessage } from "../../broker/event-message.js";

const ID = "Nats-Msg-Id";
const KEY = "Clean-Arch-Key";

/** Of the two headers with the longest id and key, and their names. */
export const MAX_HEADER_BYTES = 4_096;

/** The key is JSON: a header's line keeps neither spaces at its ends nor line breaks, nor halves of surrogate pairs. */
export function writeHeaders(headers: MsgHdrs, { id, key }: EventMessage): MsgHdrs {
  headers.set(ID, id);
  headers.set(KEY, JSON.stringify(key));
  return headers;
}

/** What others published to the stream has no key of ours, and perhaps no id: its subject and its place stand in. */
export function readMessage(msg: Msg, prefix: string, place: string): EventMessage {
  const subject = msg.subject.slice(prefix.length + 1);
  return {
    ...{ subject, body: msg.string() },
    id: msg.headers?.get(ID) || place,
    key: keyIn(msg.headers?.get(KEY)) ?? subject,
  };
}

export function idOf(headers: MsgHdrs): string {
  return headers.get(ID);
}

function keyIn(header: string | undefined): string | undefined {
  try {
    const key: unknown = JSON.parse(header ?? "");
    return typeof key === "string" && key.length > 0 ? key : undefined;
  } catch {
    return undefined;
  }
}
