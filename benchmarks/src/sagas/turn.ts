import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ContenderProcess } from "../contender-process.js";
import { nodeBinary } from "../node-binary.js";
import type { DatabaseServer } from "../servers/postgres.js";
import { quantile } from "../statistics.js";
import type { Workplace } from "../workplace.js";
import type { Contender } from "./contenders.js";
import type { Measured, Request } from "./protocol.js";
import { SAGAS, type SagaScenario, type Scenario } from "./scenarios.js";
import { type Stage, setStage } from "./stage.js";

type SagaProcess = ContenderProcess<Request, Measured | null>;

/** One scenario of one turn. */
export interface Figures {
  readonly stepsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time per step, microseconds: of the contender's processes, and of its server. */
  readonly cpuUs: number;
  readonly serverCpuUs: number;
  /** Written per step, see `ServerCount`. */
  readonly bytes: number;
  /** Write transactions per step; null where they cannot be counted. */
  readonly commits: number | null;
  /** Null for runs of fewer than 1,000 steps. */
  readonly growth: number | null;
  readonly runs: number;
  readonly notes: readonly string[];
}

export interface Turn {
  readonly contender: Contender;
  readonly scenarios: readonly Scenario[];
  /** How long the warm-up starts runs, ms. */
  readonly warmUpMs: number;
  /** Folder for profiles of the processor time; empty text: none. */
  readonly profiles: string;
  /** Where statements are recorded to or replayed from; empty text: nowhere. */
  readonly recording: string;
}

/** What a turn needs of the bench. When a signal stops it, the turn ends at once, and stops what it started. */
export interface Surroundings extends Workplace {
  readonly database: DatabaseServer;
  report(scenario: Scenario, figures: Figures): void;
}

/**
 * A contender's turn: new processes on an empty store, a warm-up, then its scenarios one after the other; then everything is stopped
 * again, so that no contender's polling or left-over work is measured with another. A scenario that fails ends the turn.
 */
export async function takeTurn(turn: Turn, { database, folder, stopping, report }: Surroundings): Promise<void> {
  const { name, program, args, node, instances } = turn.contender;
  const nodeArgs = turn.profiles === "" ? [] : ["--cpu-prof", `--cpu-prof-dir=${turn.profiles}`];
  const own = mkdtempSync(join(folder, `${name}-`));
  const processes: SagaProcess[] = [];
  let stage: Stage | null = null;
  const kill = (): void => {
    for (const process of processes) process.kill();
  };
  stopping.addEventListener("abort", kill);
  try {
    stopping.throwIfAborted();
    stage = await setStage(turn.contender, own, turn.recording, database);
    const { place } = stage;
    for (let n = 0; n < instances; n += 1) {
      const started = { name, program, args, node: nodeBinary(node), nodeArgs };
      const opened = await ContenderProcess.open<Request, Measured | null>(started, own, { kind: "open", place });
      processes.push(opened.contender);
    }
    stopping.throwIfAborted();
    if (turn.warmUpMs > 0) await measureAll(processes, warmUp(turn.warmUpMs));
    for (const scenario of turn.scenarios) report(scenario, await measure(scenario, processes, stage));
  } finally {
    await Promise.all(processes.map((process) => process.close()));
    await stage?.stop();
    stopping.removeEventListener("abort", kill);
    rmSync(own, { recursive: true, force: true });
  }
}

function warmUp(startFor: number): SagaScenario {
  const scenario = SAGAS.find(({ name }) => name === "five-100");
  if (scenario === undefined) throw new Error("expected the scenario five-100, got none");
  return { ...scenario, startFor };
}

async function measure(scenario: Scenario, processes: readonly SagaProcess[], stage: Stage): Promise<Figures> {
  const pids = processes.map(({ pid }) => pid);
  const before = await stage.count(pids);
  const { runs, steps, wallMs, latenciesMs, cpuMs, growths, notes } = await measureAll(processes, scenario);
  const after = await stage.count(pids);
  const latencies = [...latenciesMs].sort((a, b) => a - b);
  return {
    stepsPerSecond: (steps / wallMs) * 1_000,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    cpuUs: (cpuMs / steps) * 1_000,
    serverCpuUs: ((after.cpuMs - before.cpuMs) / steps) * 1_000,
    bytes: (after.bytes - before.bytes) / steps,
    commits: after.commits === null || before.commits === null ? null : (after.commits - before.commits) / steps,
    growth:
      growths.length === 0
        ? null
        : quantile(
            [...growths].sort((a, b) => a - b),
            0.5,
          ),
    ...{ runs, notes },
  };
}

/** The load is divided among the instances; they work at the same time, and the slowest one's end is the end. */
async function measureAll(processes: readonly SagaProcess[], scenario: Scenario): Promise<Measured> {
  const shared = scenario.kind === "saga" ? share(scenario, processes.length) : scenario;
  const all = await Promise.all(processes.map((process) => measureOne(process, shared)));
  const total = (value: (of: Measured) => number): number => all.reduce((sum, measured) => sum + value(measured), 0);
  return {
    runs: total(({ runs }) => runs),
    steps: total(({ steps }) => steps),
    wallMs: Math.max(...all.map(({ wallMs }) => wallMs)),
    latenciesMs: all.flatMap(({ latenciesMs }) => latenciesMs),
    cpuMs: total(({ cpuMs }) => cpuMs),
    growths: all.flatMap(({ growths }) => growths),
    notes: all.flatMap(({ notes }) => notes),
  };
}

async function measureOne(process: SagaProcess, scenario: Scenario): Promise<Measured> {
  const measured = await process.ask({ kind: "measure", scenario });
  if (measured === null) throw new Error(`expected figures of ${scenario.name}, got none`);
  return measured;
}

function share(scenario: SagaScenario, among: number): SagaScenario {
  return { ...scenario, inFlight: Math.max(1, Math.round(scenario.inFlight / among)) };
}
