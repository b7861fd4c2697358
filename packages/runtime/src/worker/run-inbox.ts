import type { JournalRecord } from "../engine/records.js";
import type { InboxEntry } from "../store/run-store.js";

const NOTHING: readonly InboxEntry[] = [];

/**
 * The messages of one owned run. A message once taken is not taken again: a renewal may bring it once more, read before
 * the row that consumes it was written.
 */
export class RunInbox {
  /** Made when a message comes: most runs get none. */
  #unread: Map<string, InboxEntry> | null = null;
  #taken: Set<string> | null = null;
  /** Taken, and not yet known to be in the journal. */
  #unwritten: readonly InboxEntry[] = NOTHING;

  constructor(entries: readonly InboxEntry[]) {
    if (entries.length > 0) this.#unread = new Map(entries.map((entry) => [entry.id, entry]));
  }

  /** True when something new came. */
  deliver(entries: readonly InboxEntry[]): boolean {
    const fresh = entries.filter((entry) => !this.#taken?.has(entry.id));
    this.#unread ??= new Map();
    for (const entry of fresh) this.#unread.set(entry.id, entry);
    return fresh.length > 0;
  }

  take(): readonly InboxEntry[] {
    if (this.#unread === null || this.#unread.size === 0) return NOTHING;
    const entries = [...this.#unread.values()];
    this.#unread.clear();
    this.#taken ??= new Set();
    for (const { id } of entries) this.#taken.add(id);
    this.#unwritten = [...this.#unwritten, ...entries];
    return entries;
  }

  /** The row that consumes what was taken is in the journal. */
  written(): void {
    if (this.#unwritten.length > 0) this.#unwritten = NOTHING;
  }

  /** Everything taken so far. */
  get taken(): readonly string[] {
    return [...(this.#taken ?? [])];
  }

  /** Signals that were taken and would be lost with a row that cannot be written, as the records that keep them. */
  unwrittenSignals(): JournalRecord[] {
    return this.#unwritten
      .filter(({ kind }) => kind === "signal")
      .map(({ id, name, payload, actor, at }) => ({ kind: "signaled", id, name, payload, actor, arrivedAt: at }));
  }
}
