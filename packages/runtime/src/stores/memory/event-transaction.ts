import { RuntimeError } from "../../errors.js";
import type { EventTransaction } from "../../store/event-store.js";
import { recordHandled } from "./handled-events.js";
import { put } from "./outbox.js";
import { stageWrites } from "./transaction.js";
import type { MemoryWorld } from "./world.js";

/** `leave` ends the turn of this event, so that whoever waits for it goes on. */
export function beginEvent(
  world: MemoryWorld,
  group: string,
  eventId: string,
  now: () => number,
  leave: () => void,
): EventTransaction {
  const staged = stageWrites(world);
  let open = true;
  const end = (): void => {
    open = false;
    leave();
  };
  return {
    client: staged.client,
    async commit() {
      if (!open) {
        const message = `expected an open transaction for event ${eventId} of group ${group}, got a commit after its end; begin another one`;
        throw new RuntimeError("internal", message, { group, event: eventId });
      }
      try {
        const at = now();
        staged.apply();
        put(world.events, staged.events, at);
        recordHandled(world.events, group, eventId, at);
      } finally {
        end();
      }
    },
    async rollback() {
      end();
    },
  };
}
