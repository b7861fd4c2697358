import type { EventStore } from "../store/event-store.js";

export interface ReplayRange {
  readonly store: Pick<EventStore, "read">;
  readonly shard: number;
  /** The broker still has everything up to here; null: nothing. */
  readonly after: string | null;
  /** The broker had taken everything up to here. */
  readonly until: string;
  /** Store's clock, ms. Those put before it are not sent again: whoever handled them may have forgotten their ids. */
  readonly notBefore: number;
}

const PAGE = 50;

/**
 * The position after which events are sent again when a broker has lost what it had taken. At most `until`: what comes after that
 * was never sent, however old it is.
 */
export async function replayStart({ store, shard, after, until, notBefore }: ReplayRange): Promise<string | null> {
  let start: string | null | undefined;
  let cursor = after;
  for (;;) {
    const page = await store.read(shard, cursor, PAGE);
    for (const { position, storedAt } of page) {
      if (start === undefined && storedAt >= notBefore) start = cursor;
      if (position === until) return start === undefined ? until : start;
      cursor = position;
    }
    // It is deleted, and so is all that came before it.
    if (page.length === 0) return until;
  }
}
