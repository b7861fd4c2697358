import type { EventMessage } from "../broker/event-message.js";
import { isEnded } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import { checkText, isStorableText, type Json, stringify } from "../json.js";
import { refusalOf } from "./event-codec.js";
import type { Append, CreateRun, Signal } from "./run-store.js";

/**
 * What a store writes for one element of a batch: its payloads as JSON text, after everything that could make a database
 * refuse the whole batch, or give back something else than it got, is refused for this element alone (`input-invalid`).
 */
export interface EncodedCreate {
  readonly input: string;
  readonly attributes: string | null;
  /** Of the journal's first row; null when the run is not claimed in the same write. */
  readonly records: string | null;
}

export interface EncodedAppend {
  readonly records: string;
  readonly failureReason: string | null | undefined;
  readonly output: string | undefined;
  readonly context: string | undefined;
  /** The payloads of `signals`, in their order. */
  readonly signals: readonly string[];
}

const MAX_ATTRIBUTES = 20;
const ATTRIBUTE_KEY = /^[a-z][a-z0-9_.-]{0,63}$/i;
const MAX_ATTRIBUTE_CHARACTERS = 256;

export function encodeCreate(create: CreateRun): EncodedCreate {
  checkTexts(create, "a run", ["id", "tenant", "type", "definition", "version", "inputHash", "queue", "rootId"]);
  checkOptionalTexts(create, "a run", ["key", "businessKey", "sessionId", "partitionKey", "parentId", "restartedFrom"]);
  checkInteger(create.priority, "priority", Number.MIN_SAFE_INTEGER);
  if (create.claim !== null) checkTexts(create.claim, "a claim", ["worker", "appendId"]);
  if (create.events) refuseBad(create.events);
  return {
    input: encodeJson(create.input, "the input"),
    attributes: create.attributes === null ? null : encodeAttributes(create.attributes),
    records: create.claim === null ? null : encodeJson(create.claim.records as unknown as Json, "the records"),
  };
}

const APPEND_TEXTS = ["run", "appendId"] as const;

export function encodeAppend(append: Append): EncodedAppend {
  const { change = {}, next, checkpoint } = append;
  checkTexts(append, "an append", APPEND_TEXTS);
  checkInteger(append.fence, "fence", 1);
  checkInteger(append.seq, "seq", 1);
  for (const id of append.consumed ?? []) checkText(id, "the id of a consumed signal");
  const ends = change.status !== undefined && isEnded(change.status);
  if (ends !== (next.kind === "finish")) {
    throw new RuntimeError(
      "input-invalid",
      `expected an end status exactly when a run finishes, got ${String(change.status)} with "${next.kind}"`,
    );
  }
  if (next.kind === "park" && next.delayMs !== null && !(next.delayMs >= 0 && Number.isFinite(next.delayMs))) {
    throw new RuntimeError("input-invalid", `expected a delay of 0 ms or more, or null, got ${next.delayMs}`);
  }
  if (checkpoint) {
    checkInteger(checkpoint.n, "a checkpoint's n", 1);
    checkInteger(checkpoint.keep, "a checkpoint's keep", 1);
  }
  if (append.events) refuseBad(append.events);
  const { failureReason } = change;
  return {
    records: encodeJson(append.records as unknown as Json, "the records"),
    failureReason: failureReason && encodeJson(failureReason as unknown as Json, "the failure"),
    output: change.output === undefined ? undefined : encodeJson(change.output, "the output"),
    context: checkpoint && encodeJson(checkpoint.context, "the context"),
    signals: append.signals?.map((signal) => encodeSignalOf(append.run, signal)) ?? NO_SIGNALS,
  };
}

/** One that is too large is refused with its run's write alone, as all else that cannot be stored. */
function refuseBad(events: readonly EventMessage[]): void {
  for (const event of events) {
    const reason = refusalOf(event);
    if (reason !== undefined) throw new RuntimeError("input-invalid", reason);
  }
}

const NO_SIGNALS: readonly string[] = [];

function encodeSignalOf(run: string, signal: Signal): string {
  if (signal.run !== run) return encodeSignal(signal);
  throw new RuntimeError("input-invalid", `expected the signals of an append to be for other runs, got one for ${run}`);
}

/** The payload as JSON text. */
export function encodeSignal(signal: Signal): string {
  checkTexts(signal, "a signal", ["run", "id", "kind", "name", "actor"]);
  return encodeJson(signal.payload, "the payload");
}

function encodeAttributes(attributes: Readonly<Record<string, string>>): string {
  const expected = (what: string, got: string): RuntimeError =>
    new RuntimeError("input-invalid", `expected ${what} of a run's attributes, got ${got}`);
  if (typeof attributes !== "object") throw expected("a map", typeof attributes);
  const entries = Object.entries(attributes);
  if (entries.length > MAX_ATTRIBUTES) throw expected(`${MAX_ATTRIBUTES} at most`, String(entries.length));
  for (const [key, value] of entries) {
    if (!ATTRIBUTE_KEY.test(key))
      throw expected("a key of letters, digits, _, . and -", JSON.stringify(key.slice(0, 80)));
    checkIsText(value, `attribute ${key} of a run`);
    if (value.length <= MAX_ATTRIBUTE_CHARACTERS) continue;
    throw expected(`${MAX_ATTRIBUTE_CHARACTERS} characters at most in "${key}"`, String(value.length));
  }
  return JSON.stringify(attributes);
}

/** JSON text that every database keeps as it is. Error: `input-invalid`. */
export function encodeJson(value: Json, what: string): string {
  const text = stringify(value, what);
  if (text === undefined) throw new RuntimeError("input-invalid", `expected ${what} to be JSON, got ${typeof value}`);
  // JSON.stringify escapes NUL and lone surrogates, so nearly all payloads need no second look.
  if (/\\u(?:0000|d[89a-f])/.test(text)) checkJson(JSON.parse(text) as Json, what);
  return text;
}

function checkJson(value: Json, what: string): void {
  if (typeof value === "string") checkText(value, what);
  else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      checkText(key, what);
      checkJson(item as Json, what);
    }
  }
}

export function checkTexts<T>(element: T, what: string, names: readonly (keyof T & string)[]): void {
  for (const name of names) {
    const text: unknown = element[name];
    if (typeof text === "string" && text !== "" && isStorableText(text)) continue;
    checkIsText(text, `${name} of ${what}`);
    if (text === "") throw new RuntimeError("input-invalid", `expected ${name} of ${what}, got an empty text`);
  }
}

function checkOptionalTexts<T>(element: T, what: string, names: readonly (keyof T & string)[]): void {
  for (const name of names) if (element[name] !== null) checkIsText(element[name], `${name} of ${what}`);
}

export function checkIsText(text: unknown, what: string): void {
  if (typeof text !== "string")
    throw new RuntimeError("input-invalid", `expected ${what} to be text, got ${typeof text}`);
  checkText(text, what);
}

export function checkInteger(value: number, what: string, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new RuntimeError("input-invalid", `expected ${what} to be a whole number of at least ${min}, got ${value}`);
}
