import type { JournalRecord } from "../engine/records.js";
import type { InboxEntry } from "../store/run-store.js";

const NOTHING: readonly InboxEntry[] = [];

/**
 * The messages of one owned run. A message once taken is not taken again: a renewal may bring it once more, read before
 * the row that consumes it was written.
 */
export class RunInbox {
  readonly #unread = new Map<string, InboxEntry>();
  readonly #taken = new Set<string>();
  /** Taken, and not yet known to be in the journal. */
  #unwritten: readonly InboxEntry[] = [];

  constructor(entries: readonly InboxEntry[]) {
    for (const entry of entries) this.#unread.set(entry.id, entry);
  }

  /** True when something new came. */
  deliver(entries: readonly InboxEntry[]): boolean {
    const fresh = entries.filter((entry) => !this.#taken.has(entry.id));
    for (const entry of fresh) this.#unread.set(entry.id, entry);
    return fresh.length > 0;
  }

  take(): readonly InboxEntry[] {
    if (this.#unread.size === 0) return NOTHING;
    const entries = [...this.#unread.values()];
    this.#unread.clear();
    for (const { id } of entries) this.#taken.add(id);
    if (entries.length > 0) this.#unwritten = [...this.#unwritten, ...entries];
    return entries;
  }

  /** The row that consumes what was taken is in the journal. */
  written(): void {
    this.#unwritten = [];
  }

  /** Everything taken so far. */
  get taken(): readonly string[] {
    return [...this.#taken];
  }

  /** Signals that were taken and would be lost with a row that cannot be written, as the records that keep them. */
  unwrittenSignals(): JournalRecord[] {
    return this.#unwritten
      .filter(({ kind }) => kind === "signal")
      .map(({ id, name, payload, actor, at }) => ({ kind: "signaled", id, name, payload, actor, arrivedAt: at }));
  }
}
