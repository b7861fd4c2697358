import type { Suite } from "../suite.js";
import { type BatchContender, CONTENDERS } from "./contenders.js";
import { type BatchScenario, SCENARIOS } from "./scenarios.js";

export const BATCH_SUITE: Suite<BatchContender, BatchScenario> = {
  name: "batch",
  contenders: CONTENDERS,
  scenarios: SCENARIOS,
  quick: ["items"],
};
