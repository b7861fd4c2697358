import { RuntimeError } from "../errors.js";
import { isStorableText } from "../json.js";

/**
 * An event on its way from an outbox to those who handle it. The text is a CloudEvent 1.0 in its JSON format; what a broker needs of it
 * stands beside it, so that none parses it.
 */
export interface EventMessage {
  /** Visible ASCII, at most 128 characters, unique: under it a message is recognized when it comes again. */
  readonly id: string;
  /** Words of `A-Z a-z 0-9 _ -` joined by dots, at most 200 characters: `order_processing.payment.completed`. */
  readonly subject: string;
  /** Messages of one key are published in the order of their commits: the id of a run, or of what an event is about. At most 256 characters. */
  readonly key: string;
  /** Well-formed Unicode without NUL, as UTF-8 at most `MAX_EVENT_BYTES`. */
  readonly body: string;
}

/** Below the 1 MiB that a NATS server takes by default, headers and all. */
export const MAX_EVENT_BYTES = 1_000_000;

const ID = /^[\x21-\x7e]{1,128}$/;
const WORD = "[A-Za-z0-9_-]+";
const SUBJECT = new RegExp(`^${WORD}(?:\\.${WORD})*$`);
/** `*` is one word, `>` one or more at the end. */
const PATTERN = new RegExp(`^(?:${WORD}|\\*)(?:\\.(?:${WORD}|\\*))*(?:\\.>)?$|^>$`);
const MAX_SUBJECT_LENGTH = 200;
const MAX_KEY_LENGTH = 256;

/** Before it is stored anywhere: nothing is taken that could not be published. Errors: `input-invalid`, `payload-too-large`. */
export function checkEvent(event: EventMessage): EventMessage {
  const { id, subject, key, body } = event;
  if (!ID.test(id)) throw invalid("id", "1 to 128 visible ASCII characters", id);
  if (!SUBJECT.test(subject) || subject.length > MAX_SUBJECT_LENGTH)
    throw invalid(
      "subject",
      `words of A-Z, a-z, 0-9, _ and - joined by dots, at most ${MAX_SUBJECT_LENGTH} characters`,
      subject,
    );
  if (key.length < 1 || key.length > MAX_KEY_LENGTH || !isStorableText(key))
    throw invalid("key", `1 to ${MAX_KEY_LENGTH} characters of well-formed Unicode without NUL`, key);
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_EVENT_BYTES) {
    const message = `expected event ${id} (${subject}) of at most ${MAX_EVENT_BYTES} bytes, got ${bytes}; publish a reference to what is large`;
    throw new RuntimeError("payload-too-large", message, {
      what: "event",
      id,
      subject,
      bytes,
      maxBytes: MAX_EVENT_BYTES,
    });
  }
  if (!isStorableText(body)) throw invalid("body", "well-formed Unicode without NUL", body);
  return event;
}

/** Of a subscription. Error: `input-invalid`. */
export function checkPattern(pattern: string): string {
  if (PATTERN.test(pattern) && pattern.length <= MAX_SUBJECT_LENGTH) return pattern;
  throw invalid("subject of a subscription", "words joined by dots, * for one word, > for the rest", pattern);
}

/** Whether the subject is one of the pattern's. */
export function isOfPattern(subject: string, pattern: string): boolean {
  const words = subject.split(".");
  const wanted = pattern.split(".");
  for (const [at, word] of wanted.entries()) {
    if (word === ">") return words.length > at;
    if (at >= words.length || (word !== "*" && word !== words[at])) return false;
  }
  return words.length === wanted.length;
}

function invalid(what: string, expected: string, got: string): RuntimeError {
  const message = `expected the ${what} of an event to be ${expected}, got ${JSON.stringify(got).slice(0, 80)}`;
  return new RuntimeError("input-invalid", message, { what });
}
