import { type EventStore, type ParkedEvents as ParkedOfGroup, RuntimeError } from "@clean-arch/runtime";
import { Refusal } from "../../application/errors.js";
import type { ParkedEvents } from "../../application/ports/events.js";
import type { Logger } from "../../application/ports/logger.js";

export interface ParkedEventsParts {
  readonly store: Pick<EventStore, "parked" | "parkedEvent" | "unpark">;
  readonly groups: readonly ParkingGroup[];
  readonly logger: Logger;
}

export interface ParkingGroup {
  readonly group: string;
  readonly parked: ParkedOfGroup;
}

/** The parked events of all groups: of those who handle events here, of the relay, and of groups that this version no longer has. */
export function createParkedEvents({ store, groups: known, logger }: ParkedEventsParts): ParkedEvents {
  const groups = new Map(known.map(({ group, parked }) => [group, parked]));

  /** The group that is meant. */
  async function groupOf(eventId: string, group: string | undefined): Promise<string> {
    const wanted = group === undefined ? [...groups.keys()] : [group];
    const found = await Promise.all(wanted.map((one) => store.parkedEvent(one, eventId)));
    const [first, ...others] = found.flatMap((parked) => (parked === undefined ? [] : [parked.group]));
    if (first === undefined) {
      const where = group === undefined ? "any group of this service" : `the group ${group}`;
      throw new Refusal("not-found", `Expected an event that is parked in ${where}; name its group as the list does.`);
    }
    if (others.length === 0) return first;
    const names = [first, ...others].join(", ");
    throw new Refusal("group-missing", `Expected the group that is meant: it is parked in ${names}.`);
  }

  return {
    list: (query) => store.parked(query),
    async redrive(eventId, wanted) {
      const group = await groupOf(eventId, wanted);
      const parked = groups.get(group);
      if (parked === undefined) {
        const message = `Expected a group that this version has, got ${group}: nobody handles its events; discard it.`;
        throw new Refusal("event-failed", message);
      }
      try {
        // False: somebody else was as fast.
        await parked.redrive(eventId);
      } catch (error) {
        if (error instanceof RuntimeError && error.status === 503) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new Refusal("event-failed", `It failed again and stays parked: ${reason.slice(0, 500)}`);
      }
    },
    async discard(event, wanted, { actor, reason }) {
      const group = await groupOf(event, wanted);
      if (await store.unpark(group, event, false))
        logger.warn({ group, event, actor, reason }, "a parked event was discarded");
    },
  };
}
