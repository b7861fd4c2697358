import type { Json } from "../../json.js";
import { isObject } from "../../json.js";

/**
 * How often events of a shard were given out that are not done with, as the note of its position keeps it. A holder that has not given
 * the shard up, and is no more, may have given out any that it had read: those count once, be it known or not.
 */
export class Tries {
  readonly #known = new Map<string, number>();
  /** The last holder went without a word. */
  readonly wasHeld: boolean;

  constructor(note: string | null) {
    const value = parsed(note);
    this.wasHeld = value.held === true;
    if (!isObject(value.tries)) return;
    for (const [position, times] of Object.entries(value.tries))
      if (typeof times === "number") this.#known.set(position, times);
  }

  /** Of an event that is read. `mayBeGiven`: the last holder had perhaps read it. */
  of(position: string, mayBeGiven: boolean): number {
    return this.#known.get(position) ?? (mayBeGiven && this.wasHeld ? 1 : 0);
  }
}

/** `held`: this holder is still there. Of more than so many those that were given out most often are kept. */
export function noteOfTries(open: readonly { readonly position: string; readonly tries: number }[], held: boolean) {
  const tried = open.filter(({ tries }) => tries > 0).sort((a, b) => b.tries - a.tries);
  const tries = Object.fromEntries(tried.slice(0, MAX_KEPT).map((entry) => [entry.position, entry.tries]));
  return JSON.stringify({ held, tries });
}

const MAX_KEPT = 100;

function parsed(note: string | null): { readonly [key: string]: Json } {
  try {
    const value = JSON.parse(note ?? "{}") as Json;
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
