import { machine } from "../machine.js";
import { nodeVersion } from "../node-binary.js";
import type { Options } from "../options.js";
import { inRounds, type Measurement } from "../rounds.js";
import { type DatabaseServer, startDatabaseServer } from "../servers/postgres.js";
import { REDIS_SETTINGS, redisVersion } from "../servers/redis.js";
import { inWorkplace, PROFILES, type Workplace } from "../workplace.js";
import type { BatchContender } from "./contenders.js";
import { type BatchResult, type ContenderResult, contenderFigures, detailsOf, ratiosOf } from "./result.js";
import type { BatchScenario } from "./scenarios.js";
import { type Figures, takeTurn } from "./turn.js";

const PACKAGES = ["bullmq", "ioredis", "pg"];

/** Runs the rounds and gives the medians. `say` is told what goes on. Everything that was started is stopped at the end, also by a signal. */
export async function benchBatches(
  options: Options<BatchContender, BatchScenario>,
  say: (line: string) => void,
): Promise<BatchResult> {
  return await inWorkplace(async (workplace) => {
    const database = await startDatabaseServer();
    try {
      return await measured(options, workplace, database, say);
    } finally {
      await database.stop();
    }
  });
}

async function measured(
  options: Options<BatchContender, BatchScenario>,
  workplace: Workplace,
  database: DatabaseServer,
  say: (line: string) => void,
): Promise<BatchResult> {
  const profiles = options.profile ? PROFILES : "";
  const { measurements, failures } = await inRounds<BatchContender, BatchScenario, Figures>({
    ...{ contenders: options.contenders, scenarios: options.scenarios, rounds: options.rounds, say },
    stopping: workplace.stopping,
    inShort: ({ itemsPerS, peakMb, startAloneMs, startBesideMs, wakeS }) =>
      itemsPerS === null
        ? `start ${startAloneMs?.toFixed(2)} ms, with sleepers ${startBesideMs?.toFixed(2)} ms, awake in ${wakeS?.toFixed(2)} s`
        : `${Math.round(itemsPerS)}/s, at most ${Math.round(peakMb)} MB`,
    takeTurn: (contender, scenarios, report) =>
      takeTurn({ contender, scenarios, profiles, database }, workplace, report),
  });
  const contenders = measurements.map(contenderResult);
  const PostgreSQL = database.version.split(" ")[0] ?? database.version;
  const versions = { Node: nodeVersion("own"), PostgreSQL, Redis: redisVersion() ?? "not installed" };
  return {
    ...{ suite: "batch", date: new Date().toISOString().slice(0, 10), quick: options.quick, rounds: options.rounds },
    machine: {
      ...machine(versions, PACKAGES),
      ...{ postgresDurability: database.durability, redisSettings: REDIS_SETTINGS },
    },
    ...{ contenders, ratios: ratiosOf(contenders), details: detailsOf(contenders), failures },
  };
}

function contenderResult({
  contender,
  scenarios,
}: Measurement<BatchContender, BatchScenario, Figures>): ContenderResult {
  const { name, title, durability } = contender;
  return { name, title, durability, ...contenderFigures(scenarios.flatMap(({ figures }) => figures)) };
}
