import { checkEvent, type EventMessage } from "../broker/event-message.js";
import { RuntimeError } from "../errors.js";
import { isObject, isStorableText, type Json, type JsonObject, toJson } from "../json.js";
import { type Ports, systemPorts, uuidV7 } from "../ports.js";

/**
 * A CloudEvent 1.0 as its JSON format has it (cloudevents.io): attributes, and data. Attributes of others (extensions) stand beside
 * those named here.
 */
export interface CloudEvent {
  readonly specversion: "1.0";
  /** Of this event, whatever its source: what was handled is known by it. */
  readonly id: string;
  /** Who says it: a URI, or a reference such as `/orders`. */
  readonly source: string;
  /** What happened: `order_processing.payment.completed`. Ours is also the subject under which a broker carries it. */
  readonly type: string;
  /** What it happened to: an id of the source's own. */
  readonly subject?: string;
  /** When, RFC 3339. */
  readonly time?: string;
  /** Default `application/json`. */
  readonly datacontenttype?: string;
  /** URI of what the data keeps to; another version of it is another URI. */
  readonly dataschema?: string;
  readonly data?: Json;
  /** W3C Trace Context of what caused it. */
  readonly traceparent?: string;
  /** Shared by all that followed from one cause: the id of a run. */
  readonly correlationid?: string;
  /** Id of the event that it answers. */
  readonly causationid?: string;
  readonly [extension: string]: Json | undefined;
}

/** What an event is made of. Left out: the id is new, the time is now. */
export interface EventParts {
  readonly id?: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** ms since the epoch. */
  readonly time?: number;
  readonly dataschema?: string;
  readonly data: unknown;
  readonly traceparent?: string;
  readonly correlationid?: string;
  readonly causationid?: string;
  /** Names of lower-case letters and digits; texts, booleans, and whole numbers of 32 bit. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>>;
}

const NAME = /^[a-z0-9]+$/;
/** Attributes are texts that headers can carry. */
const NO_TEXT = /\p{Cc}|\p{Noncharacter_Code_Point}/u;
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
/** RFC 3986: what a URI, or a reference to one, is written with. */
const URI_REFERENCE = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/;
/** Members of the JSON format that are no attributes. */
const DATA = new Set(["data", "data_base64"]);

/** Errors: `event-invalid` for an attribute, `input-invalid` or `payload-too-large` for the data. */
export function cloudEvent(parts: EventParts, ports: Ports = systemPorts): CloudEvent {
  const { id = uuidV7(ports), time = ports.clock.now(), data, extensions = {}, ...named } = parts;
  const event = {
    specversion: "1.0",
    id,
    time: isoTime(time),
    datacontenttype: "application/json",
    ...named,
    ...extensions,
    data: toJson(data, `the data of event ${id}`),
  };
  return checkAttributes(withoutAbsent(event));
}

/** What a broker carries. The key is the event's subject where it is left out, or its correlation, or its id. Errors: as `checkEvent`, `event-invalid`. */
export function eventMessage(event: CloudEvent, key?: string): EventMessage {
  const { id, type, subject, correlationid } = checked.has(event) ? event : checkAttributes(event);
  return checkEvent({ id, subject: type, key: key ?? subject ?? correlationid ?? id, body: JSON.stringify(event) });
}

/** Of a message's text. Error: `event-invalid`, with what is wrong. */
export function readCloudEvent(text: string): CloudEvent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid("a CloudEvent in JSON", `text that is not JSON: ${clip(text)}`, { cause });
  }
  if (!isObject(value as Json)) throw invalid("a CloudEvent, which is an object", clip(text));
  return checkAttributes(withoutAbsent(value as JsonObject));
}

/** An attribute that is null is not set. Data may be null. */
function withoutAbsent(members: Readonly<Record<string, Json | undefined>>): Record<string, Json> {
  const present = Object.entries(members).filter(
    (member): member is [string, Json] => member[1] !== undefined && (member[1] !== null || member[0] === "data"),
  );
  return Object.fromEntries(present);
}

function checkAttributes(members: Readonly<Record<string, Json | undefined>>): CloudEvent {
  if (members.specversion !== "1.0") throw invalid("specversion 1.0", shown(members.specversion));
  for (const name of ["id", "source", "type"])
    if (typeof members[name] !== "string") throw invalid(`a text as ${name}`, shown(members[name]));
  for (const [name, value] of Object.entries(members)) if (!DATA.has(name)) checkAttribute(name, value);
  for (const [name, { pattern, expected }] of Object.entries(FORMS)) {
    const value = members[name];
    if (value !== undefined && !(typeof value === "string" && pattern.test(value)))
      throw invalid(`${name} to be ${expected}`, shown(value));
  }
  if (members.time !== undefined && Number.isNaN(Date.parse(String(members.time))))
    throw invalid("time to be a moment that exists", shown(members.time));
  if (members.data !== undefined && members.data_base64 !== undefined)
    throw invalid("either data or data_base64", "both");
  // Each of its members was looked at.
  checked.add(members);
  return members as CloudEvent;
}

/** By `checkAttributes`: nobody changes an event. */
const checked = new WeakSet<object>();

const FORMS: Readonly<Record<string, { readonly pattern: RegExp; readonly expected: string }>> = {
  source: { pattern: URI_REFERENCE, expected: "a URI or a reference to one" },
  dataschema: { pattern: new RegExp(`${ABSOLUTE_URI.source}.`), expected: "a URI with its scheme" },
  time: { pattern: TIME, expected: "RFC 3339, such as 2026-01-31T08:00:00Z" },
  traceparent: { pattern: TRACEPARENT, expected: "a W3C trace parent" },
  subject: { pattern: /./u, expected: "a text that is not empty" },
  datacontenttype: { pattern: /^[^/\s]+\/\S/, expected: "a media type" },
};

function checkAttribute(name: string, value: Json | undefined): void {
  if (!NAME.test(name)) throw invalid("attributes named with a-z and 0-9", clip(JSON.stringify(name)));
  if (typeof value === "string" && value.length > 0 && isStorableText(value) && !NO_TEXT.test(value)) return;
  if (typeof value === "boolean") return;
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 31) return;
  const expected = "a text without control characters, a boolean, or a whole number of 32 bit";
  throw invalid(`attribute ${name} to be ${expected}`, shown(value));
}

function isoTime(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw invalid("time in ms since the epoch", String(ms));
  return date.toISOString();
}

function shown(value: Json | undefined): string {
  return value === undefined ? "nothing" : clip(JSON.stringify(value));
}

function clip(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}...`;
}

function invalid(expected: string, got: string, options?: ErrorOptions): RuntimeError {
  return new RuntimeError("event-invalid", `expected ${expected}, got ${got}`, { what: "event" }, options);
}
