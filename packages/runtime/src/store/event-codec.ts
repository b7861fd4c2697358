import { checkEvent, type EventMessage } from "../broker/event-message.js";
import { RuntimeError } from "../errors.js";
import { checkText } from "../json.js";
import type { ParkedEvent } from "./event-store.js";

/** What every store of events looks at, or mends, before it writes. */

/** Why no store takes the event; undefined: every store does. */
export function refusalOf(event: EventMessage): string | undefined {
  try {
    checkEvent(event);
    return undefined;
  } catch (error) {
    if (error instanceof RuntimeError) return error.message;
    throw error;
  }
}

/** The events, all of which can be stored. Errors: `input-invalid`, `payload-too-large`. */
export function checkEvents(events: readonly EventMessage[]): readonly EventMessage[] {
  return events.map(checkEvent);
}

/** Names, ids and notes: a database would refuse them, or give back others. Error: `input-invalid`. */
export function checkNames(names: Readonly<Record<string, string | null>>): void {
  for (const [what, name] of Object.entries(names)) if (name !== null) checkText(name, `the ${what} of events`);
}

/** A position or a cursor of a store that counts what it keeps; null: none. Error: `input-invalid`. */
export function fromCount(text: string | null | undefined, what: string): number | null {
  if (text === null || text === undefined) return null;
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  const message = `expected ${what} that the store has given, got ${JSON.stringify(text).slice(0, 80)}; begin without one`;
  throw new RuntimeError("input-invalid", message, { what });
}

const MAX_CODE_CHARACTERS = 200;
const MAX_MESSAGE_CHARACTERS = 4_000;

/** The event as it can be stored, whatever the text of its error: what could not be kept would be tried for ever. Errors: those of `checkEvent`. */
export function encodeParked(parked: ParkedEvent): ParkedEvent {
  const { group, event, error, attempts } = parked;
  checkNames({ group });
  checkEvent(event);
  if (!Number.isSafeInteger(attempts))
    throw new RuntimeError("input-invalid", `expected a whole number of attempts, got ${attempts}`);
  const code = mended(error.code, MAX_CODE_CHARACTERS);
  return { ...parked, error: { code, message: mended(error.message, MAX_MESSAGE_CHARACTERS) } };
}

/** A text of somebody else's as a database keeps it. */
export function mended(text: string, maxCharacters: number): string {
  // Cut first: half a character may be left at the end.
  return text.slice(0, maxCharacters).toWellFormed().replaceAll("\0", "\ufffd");
}
