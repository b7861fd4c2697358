import type { Suite } from "../suite.js";
import { CONTENDERS, type EventContender } from "./contenders.js";
import { type EventScenario, SCENARIOS } from "./scenarios.js";

export const EVENT_SUITE: Suite<EventContender, EventScenario> = {
  name: "events",
  contenders: CONTENDERS,
  scenarios: SCENARIOS,
  quick: ["event-100", "event-idle", "saga-100"],
};
