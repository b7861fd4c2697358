import type { Suite } from "../suite.js";
import { CONTENDERS, type Contender } from "./contenders.js";
import { FLOORS, SAGAS, type Scenario } from "./scenarios.js";

export const SAGA_SUITE: Suite<Contender, Scenario> = {
  name: "sagas",
  contenders: CONTENDERS,
  scenarios: [...SAGAS, ...FLOORS],
  quick: ["five-1", "five-100", "five-500", "floor", "six-commits"],
};
