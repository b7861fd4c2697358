import { RuntimeError } from "../../errors.js";
import type { EventTransaction } from "../../store/event-store.js";
import { recordHandled } from "./handled-events.js";
import { put } from "./outbox.js";
import { stageWrites } from "./transaction.js";
import type { MemoryWorld } from "./world.js";

/** `leave` ends the turns of these events, so that whoever waits for them goes on. */
export function beginEvent(
  world: MemoryWorld,
  group: string,
  eventIds: readonly string[],
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
        const message = `expected an open transaction for event ${eventIds.join(", ")} of group ${group}, got a commit after its end; begin another one`;
        throw new RuntimeError("internal", message, { group, events: [...eventIds] });
      }
      try {
        const at = now();
        staged.apply();
        put(world.events, staged.events, at);
        for (const id of eventIds) recordHandled(world.events, group, id, at);
      } finally {
        end();
      }
    },
    async rollback() {
      end();
    },
  };
}
