import type { EventMessage } from "../broker/event-message.js";
import { RuntimeError } from "../errors.js";
import { type CloudEvent, cloudEvent, eventMessage, readCloudEvent } from "../events/cloud-event.js";
import { isObject, type Json } from "../json.js";
import type { Ports } from "../ports.js";

/**
 * Calls over a broker. A request is a CloudEvent `request.<service>`; the reply to it is one whose type the request names as `replyto`, and
 * whose `causationid` is the request's id. Their data is what HTTP would carry.
 *
 * A request is acknowledged when its reply is stored: a participant that dies before is asked again, and its barrier knows what was done. A
 * reply that nobody waits for any more is dropped: whoever owns the run by then asks again, under the same key.
 */
export interface CallRequest {
  /** Of this attempt; an attempt that is repeated is another request. */
  readonly id: string;
  readonly service: string;
  /** As of HTTP; here it decides nothing. */
  readonly method: string;
  readonly endpoint: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
  /** Subject of the reply. */
  readonly replyTo: string;
  /** When nobody waits for it any more, ms since the epoch by the caller's clock. */
  readonly deadline: number;
}

/** As over HTTP; the body is JSON text, undefined for none. */
export interface CallReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const ID = /^[\x21-\x7e]{1,120}$/;
/** Nothing but a reply can be asked for: what is no reply stays out of the reach of callers. */
const REPLY_TO = /^reply\.[A-Za-z0-9_-]{1,64}$/;
const SERVICE = /^[A-Za-z0-9_-]{1,64}$/;

/** Where a service is asked. Error: `config-invalid` for a name that cannot be a word of a subject. */
export function requestSubject(service: string): string {
  if (SERVICE.test(service)) return `request.${service}`;
  const message = `expected the name of a service that is called over a broker to be 1 to 64 characters of A-Z, a-z, 0-9, _ and -, got ${JSON.stringify(service).slice(0, 80)}`;
  throw new RuntimeError("config-invalid", message, { service });
}

/** Error: `payload-too-large`. */
export function writeRequest(request: CallRequest, source: string, ports: Ports): EventMessage {
  const { id, service, method, endpoint, headers, body, replyTo, deadline } = request;
  const { traceparent, "x-run-id": run } = headers;
  const event = cloudEvent(
    {
      ...{ id, source, type: requestSubject(service), data: { method, endpoint, headers, body } },
      ...(run !== undefined && { correlationid: run }),
      ...(traceparent !== undefined && { traceparent }),
      extensions: { replyto: replyTo, deadline: new Date(deadline).toISOString() },
    },
    ports,
  );
  // Of its own: what is asked at once is answered at once, and a barrier puts in order what has an order.
  return eventMessage(event, id);
}

/** Error: `event-invalid`. */
export function readRequest({ body: text, subject }: EventMessage): CallRequest {
  const event = readCloudEvent(text);
  const { id, replyto, deadline, data } = event;
  const { method, endpoint, headers, body } = objectOf(data);
  if (!ID.test(id)) throw invalid(event, "an id of at most 120 visible ASCII characters");
  if (typeof replyto !== "string" || !REPLY_TO.test(replyto)) throw invalid(event, "replyto, reply.<name>,");
  if (typeof deadline !== "string" || Number.isNaN(Date.parse(deadline))) throw invalid(event, "deadline");
  if (typeof endpoint !== "string") throw invalid(event, "data.endpoint");
  return {
    ...{ id, service: subject.slice("request.".length), endpoint, replyTo: replyto, deadline: Date.parse(deadline) },
    ...{ method: typeof method === "string" ? method : "POST", headers: textsOf(headers), body: body ?? null },
  };
}

/** Errors: `payload-too-large`, `input-invalid`; a `SyntaxError` for a body that is no JSON. */
export function writeReply(request: CallRequest, reply: CallReply, ports: Ports): EventMessage {
  const { id, service, replyTo } = request;
  const { status, headers, body } = reply;
  const data = { status, headers, ...(body !== undefined && { body: JSON.parse(body) as Json }) };
  const event = cloudEvent(
    // The same for each time that the request is answered, so that a broker keeps one.
    { id: `${id}.reply`, source: `/${service}`, type: replyTo, causationid: id, data },
    ports,
  );
  return eventMessage(event, id);
}

export interface ReceivedReply extends CallReply {
  /** Id of the request. */
  readonly request: string;
}

/** Error: `event-invalid`. */
export function readReply({ body: text }: EventMessage): ReceivedReply {
  const event = readCloudEvent(text);
  const { status, headers, body } = objectOf(event.data);
  if (event.causationid === undefined) throw invalid(event, "causationid");
  if (typeof status !== "number" || !Number.isInteger(status) || status < 100 || status > 599)
    throw invalid(event, "data.status");
  return {
    ...{ request: event.causationid, status, headers: textsOf(headers) },
    body: body === undefined ? undefined : JSON.stringify(body),
  };
}

function objectOf(data: Json | undefined): Readonly<Record<string, Json | undefined>> {
  return data !== undefined && isObject(data) ? data : {};
}

function textsOf(headers: Json | undefined): Record<string, string> {
  const named = Object.entries(objectOf(headers)).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string",
  );
  return Object.fromEntries(named.map(([name, value]) => [name.toLowerCase(), value]));
}

function invalid({ id, type }: CloudEvent, what: string): RuntimeError {
  const message = `expected ${what} in event ${id.slice(0, 128)} (${type.slice(0, 200)}), which is part of a call, got none that fits`;
  return new RuntimeError("event-invalid", message, { what });
}
