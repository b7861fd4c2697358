import { join } from "node:path";
import { machine } from "../machine.js";
import { nodeVersion } from "../node-binary.js";
import type { Options } from "../options.js";
import { inRounds, type Measurement } from "../rounds.js";
import { type DatabaseServer, startDatabaseServer } from "../servers/postgres.js";
import { redisVersion } from "../servers/redis.js";
import { inWorkplace, PROFILES } from "../workplace.js";
import { CONTENDERS, type Contender } from "./contenders.js";
import { type ContenderResult, ratiosOf, type SagaMachine, type SagaResult, scenarioResult } from "./result.js";
import { SAGAS, type Scenario } from "./scenarios.js";
import { type Figures, type Surroundings, takeTurn } from "./turn.js";

const WARM_UP_MS = 3_000;
/** Long enough that the replay, which is faster, takes a second or two. */
const RECORD_MS = 5_000;

const PACKAGES = [
  "@dbos-inc/dbos-sdk",
  "openworkflow",
  "@restatedev/restate-sdk",
  "@restatedev/restate-server-linux-x64",
  "bullmq",
];

/** Runs the rounds and gives the medians. `say` is told what goes on. Everything that was started is stopped at the end, also by a signal. */
export async function benchSagas(
  options: Options<Contender, Scenario>,
  say: (line: string) => void,
): Promise<SagaResult> {
  return await inWorkplace(async (workplace) => {
    const database = await startDatabaseServer();
    try {
      return await measured(options, { ...workplace, database }, say);
    } finally {
      await database.stop();
    }
  });
}

async function measured(
  options: Options<Contender, Scenario>,
  surroundings: Omit<Surroundings, "report">,
  say: (line: string) => void,
): Promise<SagaResult> {
  const recording = join(surroundings.folder, "statements");
  if (options.contenders.some(({ name, takes }) => name === "floor" && options.scenarios.some(takes)))
    await record(recording, surroundings);
  const { measurements, failures } = await inRounds<Contender, Scenario, Figures>({
    ...{ contenders: options.contenders, scenarios: options.scenarios, rounds: options.rounds },
    ...{ stopping: surroundings.stopping, say },
    inShort: ({ stepsPerSecond }) => `${Math.round(stepsPerSecond)} steps/s`,
    takeTurn: async (contender, scenarios, report) => {
      const isFloor = contender.name === "floor";
      const turn = {
        ...{ contender, scenarios, warmUpMs: isFloor ? 0 : WARM_UP_MS, recording: isFloor ? recording : "" },
        profiles: options.profile ? PROFILES : "",
      };
      await takeTurn(turn, { ...surroundings, report });
    },
  });
  const contenders = measurements.map(contenderResult);
  return {
    ...{ suite: "sagas", date: new Date().toISOString().slice(0, 10), quick: options.quick, rounds: options.rounds },
    ...{ machine: sagaMachine(surroundings.database), contenders, ratios: ratiosOf(contenders), failures },
  };
}

/** A turn of ours whose statements are kept; the floor replays its last measurement. */
async function record(recording: string, surroundings: Omit<Surroundings, "report">): Promise<void> {
  const contender = CONTENDERS.find(({ name }) => name === "clean-arch-postgres");
  const scenarios = SAGAS.filter(({ name }) => name === "five-500").map((scenario) => ({
    ...scenario,
    startFor: RECORD_MS,
  }));
  if (contender === undefined) throw new Error("expected clean-arch-postgres among the contenders, got none");
  await takeTurn(
    { contender, scenarios, warmUpMs: WARM_UP_MS, recording, profiles: "" },
    { ...surroundings, report: () => undefined },
  );
}

function sagaMachine({ version, durability }: DatabaseServer): SagaMachine {
  const versions = {
    Node: nodeVersion("own"),
    "newer Node": nodeVersion("newer"),
    PostgreSQL: version.split(" ")[0] ?? version,
    Redis: redisVersion() ?? "none",
  };
  return { ...machine(versions, PACKAGES), postgresDurability: durability };
}

function contenderResult({ contender, scenarios }: Measurement<Contender, Scenario, Figures>): ContenderResult {
  const { name, title, durability, node } = contender;
  return {
    ...{ name, title, durability, node: nodeVersion(node) },
    scenarios: scenarios.map((scenario) => scenarioResult(scenario.name, scenario.figures)),
  };
}
