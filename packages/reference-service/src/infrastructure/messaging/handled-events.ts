import type { EventDeps, EventSubscription } from "../../application/event-handlers/event-handler.generated.js";
import { causedByEvent } from "./cause.js";
import type { HandledEvents } from "./events.js";

/** The use cases within the transaction of this client. */
export type UseCasesWithin = (client: unknown) => EventDeps["useCases"];

/**
 * The handlers of the application, each given what it may use. What they publish follows from the event that they handle.
 * Where `within` is given, what use cases change is committed with the event's being handled, or not at all.
 */
export function handledEvents(
  subscriptions: readonly EventSubscription[],
  deps: EventDeps,
  within: UseCasesWithin | null = null,
): HandledEvents[] {
  return subscriptions.map(({ group, from, subjects, handle }) => ({
    ...{ group, from, subjects },
    handling:
      within === null
        ? { handle: (event, context) => causedByEvent(event, () => handle(event, deps, context)) }
        : {
            handleWithin: (event, context) => {
              const useCases = within(context.client);
              return causedByEvent(event, () => handle(event, { ...deps, useCases }, context));
            },
          },
  }));
}
