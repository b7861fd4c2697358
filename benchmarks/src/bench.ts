import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CONTENDERS, type Contender, type ContenderName } from "./contenders.js";
import { machine, newerNode } from "./machine.js";
import type { Options } from "./options.js";
import { inOrder } from "./report.js";
import { type BenchResult, type ContenderResult, ratiosOf, scenarioResult } from "./result.js";
import { SAGAS, type Scenario } from "./scenarios.js";
import { startDatabaseServer } from "./servers/postgres.js";
import { type Figures, type Surroundings, takeTurn } from "./turn.js";

const WARM_UP_MS = 3_000;
/** Long enough that the replay, which is faster, takes a second or two. */
const RECORD_MS = 5_000;

const PROFILES = fileURLToPath(new URL("../../out/profiles/", import.meta.url));

/** What was measured so far: by contender and scenario, one entry per round. */
type Measurements = Map<ContenderName, Map<Scenario["name"], Figures[]>>;

/** Runs the rounds and gives the medians. `say` is told what goes on. Everything that was started is stopped at the end, also by a signal. */
export async function bench(options: Options, say: (line: string) => void): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const database = await startDatabaseServer();
  const stopping = new AbortController();
  const onSignal = (): void => stopping.abort(new Error("stopped by a signal"));
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    return await rounds(options, { database, folder, stopping: stopping.signal }, say);
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rounds(
  options: Options,
  surroundings: Omit<Surroundings, "report">,
  say: (line: string) => void,
): Promise<BenchResult> {
  const recording = join(surroundings.folder, "statements");
  const measurements: Measurements = new Map();
  const failures: string[] = [];
  const perform = async (contender: Contender, round: number): Promise<void> => {
    surroundings.stopping.throwIfAborted();
    const scenarios = options.scenarios.filter(contender.takes);
    if (scenarios.length === 0) return;
    const isFloor = contender.name === "floor";
    const turn = {
      ...{ contender, scenarios, warmUpMs: isFloor ? 0 : WARM_UP_MS, recording: isFloor ? recording : "" },
      profiles: options.profile ? PROFILES : "",
    };
    const report = (scenario: Scenario, figures: Figures): void => {
      note(measurements, contender.name, scenario.name, figures);
      say(
        `round ${round}  ${contender.name.padEnd(30)} ${scenario.name.padEnd(12)} ${Math.round(figures.stepsPerSecond)} steps/s`,
      );
    };
    try {
      await takeTurn(turn, { ...surroundings, report });
    } catch (error) {
      surroundings.stopping.throwIfAborted();
      failures.push(`round ${round}, ${error instanceof Error ? error.message : error}`);
      say(`round ${round}  ${contender.name} failed`);
    }
  };

  if (options.contenders.some(({ name, takes }) => name === "floor" && options.scenarios.some(takes)))
    await record(recording, surroundings);
  for (let round = 1; round <= options.rounds; round += 1) {
    // Each round begins with another one, so that none is always measured after the same neighbor.
    for (const contender of rotated(options.contenders, round - 1)) await perform(contender, round);
  }
  const contenders = inOrder([...measurements].map(([name, scenarios]) => contenderResult(name, scenarios)));
  return {
    ...{ suite: "sagas", date: new Date().toISOString().slice(0, 10), quick: options.quick, rounds: options.rounds },
    ...{ machine: machine(surroundings.database), contenders, ratios: ratiosOf(contenders), failures },
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

function rotated<T>(all: readonly T[], by: number): readonly T[] {
  const at = all.length === 0 ? 0 : by % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}

function note(
  measurements: Measurements,
  contender: ContenderName,
  scenario: Scenario["name"],
  figures: Figures,
): void {
  const scenarios = measurements.get(contender) ?? new Map<Scenario["name"], Figures[]>();
  measurements.set(contender, scenarios);
  scenarios.set(scenario, [...(scenarios.get(scenario) ?? []), figures]);
}

function contenderResult(
  name: ContenderName,
  scenarios: ReadonlyMap<Scenario["name"], readonly Figures[]>,
): ContenderResult {
  const contender = CONTENDERS.find((one) => one.name === name);
  if (contender === undefined) throw new Error(`expected a contender, got ${name}`);
  const { title, durability, node } = contender;
  return {
    ...{ name, title, durability, node: node === "newer" ? newerNode() : process.versions.node },
    scenarios: [...scenarios].map(([scenario, figures]) => scenarioResult(scenario, figures)),
  };
}
