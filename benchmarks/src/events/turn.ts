import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ContenderProcess } from "../contender-process.js";
import { nodeBinary } from "../node-binary.js";
import { usageOf } from "../process-tree.js";
import type { BrokerServer } from "../servers/nats.js";
import type { DatabaseServer } from "../servers/postgres.js";
import { quantile } from "../statistics.js";
import type { Workplace } from "../workplace.js";
import type { EventContender } from "./contenders.js";
import type { Measured, Request } from "./protocol.js";
import { type EventScenario, SCENARIOS } from "./scenarios.js";

type EventProcess = ContenderProcess<Request, Measured | null>;

/** One scenario of one turn. */
export interface Figures {
  /** Null where the load pauses. */
  readonly perSecond: number | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time per act, microseconds: of the contender's process, and of the servers. */
  readonly cpuUs: number;
  readonly databaseCpuUs: number;
  readonly brokerCpuUs: number;
  readonly acts: number;
}

/** The servers that all turns share: each has its own database and its own stream in them. */
export interface Servers {
  readonly database: DatabaseServer;
  readonly broker: BrokerServer;
}

export interface Turn extends Servers {
  readonly contender: EventContender;
  readonly scenarios: readonly EventScenario[];
  /** Folder for profiles of the processor time; empty text: none. */
  readonly profiles: string;
}

const WARM_UP_MS = 2_000;

/**
 * A contender's turn: a new process on an empty database and without a stream, a warm-up, then its scenarios one after the other; then
 * everything is stopped and removed again. A scenario that fails ends the turn, and so does a signal.
 */
export async function takeTurn(
  { contender, scenarios, profiles, database, broker }: Turn,
  { folder, stopping }: Workplace,
  report: (scenario: EventScenario, figures: Figures) => void,
): Promise<void> {
  const { name, program, args } = contender;
  const stream = name.replaceAll("-", "_");
  const own = mkdtempSync(join(folder, `${name}-`));
  let opened: EventProcess | null = null;
  const kill = (): void => opened?.kill();
  stopping.addEventListener("abort", kill);
  try {
    const databaseUrl = await database.fresh(stream);
    stopping.throwIfAborted();
    const nodeArgs = profiles === "" ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
    const started = { name, program, args, node: nodeBinary("own"), nodeArgs };
    const place = { folder: own, databaseUrl, natsUrl: broker.url, stream };
    const first: Request = { kind: "open", place };
    opened = (await ContenderProcess.open<Request, Measured | null>(started, own, first)).contender;
    stopping.throwIfAborted();
    const warmUp = SCENARIOS.find((scenario) => contender.takes(scenario));
    if (warmUp !== undefined) await ask(opened, { ...warmUp, startFor: WARM_UP_MS });
    for (const scenario of scenarios) report(scenario, await measure(opened, scenario, { database, broker }));
  } finally {
    await opened?.close();
    await database.drop(stream);
    await broker.drop(stream);
    stopping.removeEventListener("abort", kill);
    rmSync(own, { recursive: true, force: true });
  }
}

async function measure(asked: EventProcess, scenario: EventScenario, { database, broker }: Servers): Promise<Figures> {
  const [databaseBefore, brokerBefore] = [usageOf(database.pid), usageOf(broker.pid)];
  const { acts, wallMs, latenciesMs, cpuMs } = await ask(asked, scenario);
  const perAct = (ms: number): number => (ms / acts) * 1_000;
  const latencies = [...latenciesMs].sort((a, b) => a - b);
  return {
    perSecond: scenario.pauseMs === null ? (acts / wallMs) * 1_000 : null,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    cpuUs: perAct(cpuMs),
    databaseCpuUs: perAct(usageOf(database.pid).cpuMs - databaseBefore.cpuMs),
    brokerCpuUs: perAct(usageOf(broker.pid).cpuMs - brokerBefore.cpuMs),
    acts,
  };
}

async function ask(asked: EventProcess, scenario: EventScenario): Promise<Measured> {
  const measured = await asked.ask({ kind: "measure", scenario });
  if (measured === null) throw new Error(`expected figures of ${scenario.name}, got none`);
  return measured;
}
