import type { Json } from "../json.js";
import { isObject } from "../json.js";

/** The broker stored everything of a shard up to the position, and gave this receipt for it. */
export interface KeptReceipt {
  readonly position: string;
  readonly receipt: string;
  /** When the event at the position was put into the outbox; store's clock, ms. */
  readonly at: number;
}

/** Of three in a row the middle one goes, where the outer two are no further apart than so many times the age of the younger. */
const SPREAD = 3;
/** Closer together than this they are not worth their room. */
const LEAST_APART_MS = 5_000;
/** The bound, whatever the times are. */
const MAX_KEPT = 24;

/**
 * Where a shard can go back to when its broker lost what it had stored: receipts of recent batches, oldest first. They stand closer
 * together the younger they are, so that a loss of seconds sends seconds again, and a day needs no more than twenty of them.
 */
export class Receipts {
  readonly #kept: readonly KeptReceipt[];

  constructor(kept: readonly KeptReceipt[] = []) {
    this.#kept = kept;
  }

  /** From the note of a position. What is no such note holds none. */
  static ofNote(note: string | null): Receipts {
    if (note === null) return new Receipts();
    let value: Json;
    try {
      value = JSON.parse(note) as Json;
    } catch {
      return new Receipts();
    }
    const rows = isObject(value) && Array.isArray(value.receipts) ? (value.receipts as readonly Json[]) : [];
    return new Receipts(rows.flatMap(receiptOf));
  }

  get note(): string {
    return JSON.stringify({ receipts: this.#kept.map(({ position, receipt, at }) => [position, receipt, at]) });
  }

  get newest(): KeptReceipt | undefined {
    return this.#kept.at(-1);
  }

  /** Newest first. */
  get newestFirst(): readonly KeptReceipt[] {
    return this.#kept.toReversed();
  }

  /** With those of before `notBefore` forgotten, and the rest thinned out. */
  with(added: KeptReceipt, notBefore: number): Receipts {
    const now = added.at;
    const kept: KeptReceipt[] = [];
    for (const entry of [...this.#kept.filter(({ at }) => at >= notBefore), added]) {
      kept.push(entry);
      thinOut(kept, now);
    }
    // The oldest stays, for a loss of everything that came after it.
    if (kept.length > MAX_KEPT) kept.splice(1, kept.length - MAX_KEPT);
    return new Receipts(kept);
  }

  upTo(position: string): Receipts {
    return new Receipts(this.#kept.slice(0, this.#kept.findIndex((entry) => entry.position === position) + 1));
  }
}

/** Looks at the last three. */
function thinOut(kept: KeptReceipt[], now: number): void {
  const [older, middle, younger] = kept.slice(-3);
  if (older === undefined || middle === undefined || younger === undefined) return;
  const apartMs = younger.at - older.at;
  if (apartMs <= Math.max(LEAST_APART_MS, SPREAD * (now - younger.at))) kept.splice(-2, 1);
}

function receiptOf(row: Json): KeptReceipt[] {
  if (!Array.isArray(row)) return [];
  const [position, receipt, at] = row as readonly Json[];
  if (typeof position !== "string" || typeof receipt !== "string" || typeof at !== "number") return [];
  return [{ position, receipt, at }];
}
