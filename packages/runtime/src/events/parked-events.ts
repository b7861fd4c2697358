import { RuntimeError } from "../errors.js";
import type { Logger } from "../log.js";
import type { EventStore, ParkedEvent, ParkedPage } from "../store/event-store.js";

/** What operators do with the events that a group could not handle. */
export interface ParkedEvents {
  /** Newest first. `limit`: 1 to 200, default 50. */
  list(query?: { readonly cursor?: string; readonly limit?: number }): Promise<ParkedPage>;
  /**
   * Hands it to this group once more, here and now, and to no other one. It stays parked until that has succeeded; throws what it
   * failed with. False: it is not parked.
   */
  redrive(eventId: string): Promise<boolean>;
  /** All that are parked now, one after the other; those that fail again stay. Stops at the first that the store or broker cannot answer. */
  redriveAll(): Promise<RedriveReport>;
  /** It is never handled by this group. The reason, which may not be empty, is logged. False: it is not parked. */
  discard(eventId: string, reason: string): Promise<boolean>;
}

export interface RedriveReport {
  readonly redriven: number;
  readonly failed: number;
}

export interface ParkedEventsOptions {
  readonly store: Pick<EventStore, "parked" | "parkedEvent" | "unpark">;
  readonly group: string;
  readonly logger: Logger;
  /** Does it, once for each event however often it is called, or throws. */
  readonly redrive: (parked: ParkedEvent) => Promise<void>;
}

const PAGE = 50;

export function createParkedEvents({ store, group, logger, redrive }: ParkedEventsOptions): ParkedEvents {
  const redriveParked = async (parked: ParkedEvent): Promise<boolean> => {
    await redrive(parked);
    // Its id still counts as handled, so that copies of it that come late are dropped.
    const wasParked = await store.unpark(group, parked.event.id, false);
    if (wasParked) logger.info({ group, event: parked.event.id }, "a parked event was handled");
    return wasParked;
  };
  return {
    list: ({ cursor, limit = PAGE } = {}) => store.parked({ group, limit, ...(cursor !== undefined && { cursor }) }),
    async redrive(eventId) {
      const parked = await store.parkedEvent(group, eventId);
      return parked !== undefined && (await redriveParked(parked));
    },
    async redriveAll() {
      const counts = { redriven: 0, failed: 0 };
      let cursor: string | null | undefined;
      while (cursor !== null) {
        const page: ParkedPage = await store.parked({ group, limit: PAGE, ...(cursor !== undefined && { cursor }) });
        for (const parked of page.items) {
          try {
            if (await redriveParked(parked)) counts.redriven += 1;
          } catch (error) {
            if (isUnavailable(error)) throw error;
            counts.failed += 1;
            logger.warn({ group, event: parked.event.id, error: String(error) }, "a parked event failed again");
          }
        }
        cursor = page.nextCursor;
      }
      return counts;
    },
    async discard(eventId, reason) {
      if (reason.trim() === "")
        throw new RuntimeError("input-invalid", `expected a reason for discarding event ${eventId}, got none`);
      const wasParked = await store.unpark(group, eventId, false);
      if (wasParked)
        logger.warn({ group, event: eventId, reason: reason.slice(0, 500) }, "a parked event was discarded");
      return wasParked;
    },
  };
}

/** Nothing is wrong with the event: whoever should have answered did not. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof RuntimeError && (error.code === "store-unavailable" || error.code === "broker-unavailable");
}
