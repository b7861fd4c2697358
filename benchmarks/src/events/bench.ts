import { machine } from "../machine.js";
import { nodeVersion } from "../node-binary.js";
import type { Options } from "../options.js";
import { inRounds, type Measurement } from "../rounds.js";
import { NATS_DURABILITY, startBrokerServer } from "../servers/nats.js";
import { startDatabaseServer } from "../servers/postgres.js";
import { inWorkplace, PROFILES, type Workplace } from "../workplace.js";
import type { EventContender } from "./contenders.js";
import {
  type ContenderResult,
  detailsOf,
  type EventMachine,
  type EventResult,
  ratiosOf,
  scenarioResult,
} from "./result.js";
import type { EventScenario } from "./scenarios.js";
import { type Figures, type Servers, takeTurn } from "./turn.js";

const PACKAGES = ["@nats-io/jetstream", "@nats-io/transport-node", "pg"];

/** Runs the rounds and gives the medians. `say` is told what goes on. Everything that was started is stopped at the end, also by a signal. */
export async function benchEvents(
  options: Options<EventContender, EventScenario>,
  say: (line: string) => void,
): Promise<EventResult> {
  return await inWorkplace(async (workplace) => {
    const database = await startDatabaseServer();
    try {
      const broker = await startBrokerServer();
      try {
        return await measured(options, { ...workplace, database, broker }, say);
      } finally {
        await broker.stop();
      }
    } finally {
      await database.stop();
    }
  });
}

async function measured(
  options: Options<EventContender, EventScenario>,
  surroundings: Workplace & Servers,
  say: (line: string) => void,
): Promise<EventResult> {
  const { database, broker, stopping } = surroundings;
  const profiles = options.profile ? PROFILES : "";
  const { measurements, failures } = await inRounds<EventContender, EventScenario, Figures>({
    ...{ contenders: options.contenders, scenarios: options.scenarios, rounds: options.rounds, stopping, say },
    inShort: ({ perSecond, p50Ms }) =>
      perSecond === null ? `p50 ${p50Ms.toFixed(2)} ms` : `${Math.round(perSecond)}/s`,
    takeTurn: (contender, scenarios, report) =>
      takeTurn({ contender, scenarios, profiles, database, broker }, surroundings, report),
  });
  const contenders = measurements.map(contenderResult);
  return {
    ...{ suite: "events", date: new Date().toISOString().slice(0, 10), quick: options.quick, rounds: options.rounds },
    ...{
      machine: eventMachine(surroundings),
      contenders,
      ratios: ratiosOf(contenders),
      details: detailsOf(contenders),
    },
    failures,
  };
}

function eventMachine({ database, broker }: Servers): EventMachine {
  const PostgreSQL = database.version.split(" ")[0] ?? database.version;
  const versions = { Node: nodeVersion("own"), PostgreSQL, NATS: broker.version };
  const durability = { postgresDurability: database.durability, natsDurability: NATS_DURABILITY };
  return { ...machine(versions, PACKAGES), ...durability };
}

function contenderResult({
  contender,
  scenarios,
}: Measurement<EventContender, EventScenario, Figures>): ContenderResult {
  const { name, title, durability } = contender;
  return {
    ...{ name, title, durability },
    scenarios: scenarios.map((scenario) => scenarioResult(scenario.name, scenario.figures)),
  };
}
