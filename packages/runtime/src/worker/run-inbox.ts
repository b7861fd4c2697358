import type { Verb } from "../engine/verbs.js";
import { isObject } from "../json.js";
import type { InboxEntry } from "../store/run-store.js";

const NOTHING = { ids: [], verbs: [] } as const;

/**
 * The messages of one owned run. A message once taken is not taken again: a renewal may bring it once more, read before
 * the row that consumes it was written.
 */
export class RunInbox {
  readonly #unread = new Map<string, InboxEntry>();
  readonly #taken = new Set<string>();

  constructor(entries: readonly InboxEntry[]) {
    for (const entry of entries) this.#unread.set(entry.id, entry);
  }

  /** True when something new came. */
  deliver(entries: readonly InboxEntry[]): boolean {
    const fresh = entries.filter((entry) => !this.#taken.has(entry.id));
    for (const entry of fresh) this.#unread.set(entry.id, entry);
    return fresh.length > 0;
  }

  take(): { readonly ids: readonly string[]; readonly verbs: readonly Verb[] } {
    if (this.#unread.size === 0) return NOTHING;
    const entries = [...this.#unread.values()];
    this.#unread.clear();
    for (const { id } of entries) this.#taken.add(id);
    return { ids: entries.map(({ id }) => id), verbs: entries.map(verbOf) };
  }

  /** Everything taken so far. */
  get taken(): readonly string[] {
    return [...this.#taken];
  }
}

function verbOf({ id, name, actor, payload }: InboxEntry): Verb {
  const { reason, step } = isObject(payload) ? payload : {};
  return {
    ...{ name, actor, request: id, reason: typeof reason === "string" ? reason : "" },
    ...(typeof step === "string" && { step }),
  };
}
