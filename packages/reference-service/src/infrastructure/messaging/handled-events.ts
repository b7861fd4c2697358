import type { EventDeps, EventSubscription } from "../../application/event-handlers/event-handler.generated.js";
import { causedByEvent } from "./cause.js";
import type { HandledEvents } from "./events.js";

/** The handlers of the application, each given what it may use. What they publish follows from the event that they handle. */
export function handledEvents(subscriptions: readonly EventSubscription[], deps: EventDeps): HandledEvents[] {
  return subscriptions.map(({ group, from, subjects, handle }) => ({
    ...{ group, from, subjects },
    handle: (event, context) => causedByEvent(event, () => handle(event, deps, context)),
  }));
}
