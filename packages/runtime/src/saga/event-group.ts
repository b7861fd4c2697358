import type { Broker } from "../broker/broker.js";
import type { EventParticipant } from "../choreography/event-participant.js";
import { RuntimeError } from "../errors.js";
import type { Registry } from "./registry.js";

interface EventGroupOptions {
  readonly eventGroup?: string;
  readonly eventParticipants?: readonly EventParticipant[];
  readonly broker?: Broker;
}

/**
 * All instances of a service are one group, and take all of its events: those of an instance that knows no more than it did, during a
 * deployment, would else pass by what the others are waiting for. Of a broker that services share they take what they know: there the
 * newest instance decides what that is, for all of them.
 */
export function eventGroupOf({ eventGroup, eventParticipants = [], broker }: EventGroupOptions, registry: Registry) {
  if (eventGroup !== undefined) return { group: eventGroup, subjects: registry.choreographySubjects };
  if (broker === undefined || eventParticipants.length === 0) return { group: "choreography", subjects: [">"] };
  const message = "expected an eventGroup beside eventParticipants and a broker, got none; give the service's name";
  throw new RuntimeError("config-invalid", message, { key: "eventGroup" });
}
