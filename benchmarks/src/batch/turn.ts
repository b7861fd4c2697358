import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ContenderProcess } from "../contender-process.js";
import { nodeBinary } from "../node-binary.js";
import { usageOf } from "../process-tree.js";
import type { DatabaseServer } from "../servers/postgres.js";
import { startRedis } from "../servers/redis.js";
import type { Workplace } from "../workplace.js";
import type { BatchContender } from "./contenders.js";
import type { Measured, Request } from "./protocol.js";
import type { BatchScenario } from "./scenarios.js";

type BatchProcess = ContenderProcess<Request, Measured | null>;

/** One scenario of one turn. */
export interface Figures extends Measured {
  /** Processor time of the server that the contender uses. */
  readonly serverCpuMs: number;
}

export interface Turn {
  readonly contender: BatchContender;
  readonly scenarios: readonly BatchScenario[];
  /** Folder for profiles of the processor time; empty text: none. */
  readonly profiles: string;
  readonly database: DatabaseServer;
}

/**
 * A contender's turn: a new process on an empty database and an empty Redis, its scenarios one after the other; then everything is
 * stopped and removed again. Nothing is warmed up: a batch is one long run. A scenario that fails ends the turn, and so does a signal.
 */
export async function takeTurn(
  { contender, scenarios, profiles, database }: Turn,
  { folder, stopping }: Workplace,
  report: (scenario: BatchScenario, figures: Figures) => void,
): Promise<void> {
  const { name, program, args } = contender;
  const own = mkdtempSync(join(folder, `${name}-`));
  const base = name.replaceAll("-", "_");
  const redis = await startRedis(own);
  let opened: BatchProcess | null = null;
  const kill = (): void => opened?.kill();
  stopping.addEventListener("abort", kill);
  try {
    const databaseUrl = await database.fresh(base);
    stopping.throwIfAborted();
    const nodeArgs = profiles === "" ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
    const started = { name, program, args, node: nodeBinary("own"), nodeArgs };
    const first: Request = { kind: "open", place: { databaseUrl, redisPort: redis.port } };
    opened = (await ContenderProcess.open<Request, Measured | null>(started, own, first)).contender;
    for (const scenario of scenarios) {
      stopping.throwIfAborted();
      const server = (): number => usageOf(database.pid).cpuMs + usageOf(redis.pid).cpuMs;
      const before = server();
      const measured = await opened.ask({ kind: "measure", scenario });
      if (measured === null) throw new Error(`expected figures of ${scenario.name}, got none`);
      report(scenario, { ...measured, serverCpuMs: server() - before });
    }
  } finally {
    await opened?.close();
    await redis.stop();
    await database.drop(base);
    stopping.removeEventListener("abort", kill);
    rmSync(own, { recursive: true, force: true });
  }
}
