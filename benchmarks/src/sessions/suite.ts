import type { Suite } from "../suite.js";
import { CONTENDERS, type SessionContender } from "./contenders.js";
import { SCENARIOS, type SessionScenario } from "./scenarios.js";

export const SESSION_SUITE: Suite<SessionContender, SessionScenario> = {
  name: "sessions",
  contenders: CONTENDERS,
  scenarios: SCENARIOS,
  quick: ["read-2k", "write-2k", "anonymous", "read-2k-1ms"],
};
