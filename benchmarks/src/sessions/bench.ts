import { machine } from "../machine.js";
import { nodeVersion } from "../node-binary.js";
import type { Options } from "../options.js";
import { inRounds, type Measurement } from "../rounds.js";
import { REDIS_SETTINGS, redisVersion } from "../servers/redis.js";
import { inWorkplace, PROFILES } from "../workplace.js";
import { addedRoundTrip } from "./added-round-trip.js";
import type { SessionContender } from "./contenders.js";
import { type ContenderResult, ratiosOf, type SessionResult, scenarioResult } from "./result.js";
import type { SessionScenario } from "./scenarios.js";
import { type Figures, takeTurn } from "./turn.js";

const PACKAGES = ["fastify", "express", "@fastify/session", "express-session", "connect-redis", "redis", "ioredis"];

/** Runs the rounds and gives the medians. `say` is told what goes on. Everything that was started is stopped at the end, also by a signal. */
export async function benchSessions(
  options: Options<SessionContender, SessionScenario>,
  say: (line: string) => void,
): Promise<SessionResult> {
  return await inWorkplace(async (workplace) => {
    const addedRoundTripMs = await addedRoundTrip(1, workplace.folder);
    const { measurements, failures } = await inRounds<SessionContender, SessionScenario, Figures>({
      ...{ contenders: options.contenders, scenarios: options.scenarios, rounds: options.rounds },
      ...{ stopping: workplace.stopping, say },
      inShort: ({ requestsPerSecond }) => `${Math.round(requestsPerSecond)} requests/s`,
      takeTurn: (contender, scenarios, report) =>
        takeTurn({ contender, scenarios, profiles: options.profile ? PROFILES : "" }, workplace, report),
    });
    const contenders = measurements.map(contenderResult);
    const versions = { Node: nodeVersion("own"), Redis: redisVersion() ?? "none" };
    return {
      ...{ suite: "sessions", date: new Date().toISOString().slice(0, 10) },
      ...{ quick: options.quick, rounds: options.rounds },
      machine: { ...machine(versions, PACKAGES), redisSettings: REDIS_SETTINGS, addedRoundTripMs },
      ...{ contenders, ratios: ratiosOf(contenders), failures },
    };
  });
}

function contenderResult({
  contender,
  scenarios,
}: Measurement<SessionContender, SessionScenario, Figures>): ContenderResult {
  const { name, title, settings, node } = contender;
  return {
    ...{ name, title, settings, node: nodeVersion(node) },
    scenarios: scenarios.map((scenario) => scenarioResult(scenario.name, scenario.figures)),
  };
}
