import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ContenderProcess } from "../contender-process.js";
import { nodeBinary } from "../node-binary.js";
import { usageOf } from "../process-tree.js";
import { redisTraffic } from "../servers/ask-redis.js";
import { startRedis } from "../servers/redis.js";
import type { StartedProcess } from "../servers/started-process.js";
import { quantile } from "../statistics.js";
import type { Workplace } from "../workplace.js";
import type { SessionContender } from "./contenders.js";
import { type Counted, count, within } from "./counting.js";
import { HttpConnection } from "./http-connection.js";
import { load } from "./load.js";
import { PROOF_IDLE_SECONDS, prove } from "./proof.js";
import { openProxy, type ProxyProcess } from "./proxy-process.js";
import { type Client, nobody, requestsOf, signIn, strangers } from "./requests.js";
import { SCENARIOS, SESSIONS, type SessionScenario } from "./scenarios.js";
import type { SessionRequest } from "./serve-sessions.js";

/** One scenario of one turn. Per request, where nothing else is said. */
export interface Figures {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time, microseconds: of the contender's process, of Redis, and of the bench that sends the requests. */
  readonly cpuUs: number;
  readonly redisCpuUs: number;
  readonly loadCpuUs: number;
  /** What Redis read and wrote on the network. */
  readonly redisBytesIn: number;
  readonly redisBytesOut: number;
  /** Of a few requests one after the other; null where there are no sessions. */
  readonly counted: Counted | null;
  readonly requests: number;
  readonly notes: readonly string[];
}

export interface SessionTurn {
  readonly contender: SessionContender;
  readonly scenarios: readonly SessionScenario[];
  /** Folder for profiles of the processor time; empty text: none. */
  readonly profiles: string;
}

const WARM_UP_MS = 2_000;
/** Before each scenario; the process behind the proxy had no warm-up yet. */
const RUN_IN_MS = 500;
/** Above it the load generator is what is measured. */
const TOO_BUSY = 0.9;

interface Process {
  readonly pid: number;
  readonly connections: readonly HttpConnection[];
}

/** What a turn stands on. `far`: a second process of the contender, which reaches Redis through the proxy. */
interface Stage {
  readonly redis: StartedProcess & { readonly port: number };
  readonly proxy: ProxyProcess;
  readonly near: Process;
  readonly far: Process;
  readonly clients: ReadonlyMap<SessionScenario["size"], readonly Client[]>;
}

/**
 * A contender's turn: a new Redis, two new processes, a proof that they do what they are measured for, sessions by the contender's own
 * login, a warm-up, then its scenarios one after the other; then everything is stopped again. A scenario that fails ends the turn.
 */
export async function takeTurn(
  turn: SessionTurn,
  { folder, stopping }: Workplace,
  report: (scenario: SessionScenario, figures: Figures) => void,
): Promise<void> {
  const own = mkdtempSync(join(folder, `${turn.contender.name}-`));
  const ends: (() => Promise<void>)[] = [];
  const kills: (() => void)[] = [];
  const kill = (): void => {
    for (const each of kills) each();
  };
  stopping.addEventListener("abort", kill);
  try {
    stopping.throwIfAborted();
    const stage = await setStage(turn, own, { ends, kills });
    for (const scenario of turn.scenarios) {
      stopping.throwIfAborted();
      report(scenario, await measure(scenario, stage, turn.contender.sessions !== "none"));
    }
  } catch (error) {
    throw new Error(`${turn.contender.name}: ${error instanceof Error ? error.message : error}`);
  } finally {
    for (const end of ends.reverse()) await end();
    stopping.removeEventListener("abort", kill);
    rmSync(own, { recursive: true, force: true });
  }
}

interface Started {
  readonly ends: (() => Promise<void>)[];
  readonly kills: (() => void)[];
}

async function setStage(turn: SessionTurn, folder: string, started: Started): Promise<Stage> {
  const { contender, scenarios } = turn;
  const redis = await startRedis(folder);
  started.ends.push(() => redis.stop());
  const { proxy, port: proxyPort } = await openProxy(redis.port, folder);
  started.ends.push(() => proxy.close());
  started.kills.push(() => proxy.kill());
  const most = Math.max(...SCENARIOS.map(({ connections }) => connections));
  if (contender.sessions !== "none") await examine(turn, redis.port, folder);
  const near = await startContender(turn, redis.port, most, folder, started);
  const far = await startContender(turn, proxyPort, most, folder, started);

  const clients = new Map<SessionScenario["size"], readonly Client[]>();
  const sizes = new Set(scenarios.map(({ size }) => size));
  if (contender.sessions === "none") {
    for (const size of sizes) clients.set(size, strangers(size !== null));
  } else {
    for (const size of sizes)
      clients.set(size, size === null ? nobody() : await signIn(near.connections, size, SESSIONS));
  }
  const stage = { redis, proxy, near, far, clients };
  const [first] = scenarios;
  if (first !== undefined) await run({ ...first, addedMs: 0, startFor: WARM_UP_MS }, stage);
  return stage;
}

/** The proof, by two processes of its own whose sessions live for seconds. */
async function examine(turn: SessionTurn, redisPort: number, folder: string): Promise<void> {
  const { sessions } = turn.contender;
  const started: Started = { ends: [], kills: [] };
  const env = { BENCH_IDLE_SECONDS: `${PROOF_IDLE_SECONDS}` };
  try {
    const { connections: ofOne } = await startContender({ ...turn, profiles: "" }, redisPort, 1, folder, started, env);
    const { connections: ofOther } = await startContender(
      { ...turn, profiles: "" },
      redisPort,
      1,
      folder,
      started,
      env,
    );
    const [[one], [other]] = [ofOne, ofOther];
    if (one === undefined || other === undefined || sessions === "none")
      throw new Error("expected two connections of a contender with sessions");
    await prove({ redisPort, one, other, sessions });
  } finally {
    for (const end of started.ends.reverse()) await end();
  }
}

async function startContender(
  { contender, profiles }: SessionTurn,
  redisPort: number,
  connections: number,
  folder: string,
  { ends, kills }: Started,
  env: Readonly<Record<string, string>> = {},
): Promise<Process> {
  const { name, program, args, node } = contender;
  const nodeArgs = profiles === "" ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
  const { contender: process, answer: port } = await ContenderProcess.open<SessionRequest, number>(
    { name, program, args, node: nodeBinary(node), nodeArgs, env: { NODE_ENV: "production", ...env } },
    folder,
    { kind: "open", redisPort },
  );
  ends.push(() => process.close());
  kills.push(() => process.kill());
  const opened = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(port)));
  ends.push(async () => {
    for (const connection of opened) connection.close();
  });
  return { pid: process.pid, connections: opened };
}

async function run(scenario: SessionScenario, { near, far, clients }: Stage): ReturnType<typeof load> {
  const { connections } = scenario.addedMs > 0 ? far : near;
  const next = requestsOf(scenario, clients.get(scenario.size) ?? []);
  return await load(connections.slice(0, scenario.connections), within(next, scenario.startFor));
}

async function measure(scenario: SessionScenario, stage: Stage, hasSessions: boolean): Promise<Figures> {
  const { redis, proxy, near, far, clients } = stage;
  const { pid } = scenario.addedMs > 0 ? far : near;
  const usage = async () => ({
    contenderMs: usageOf(pid).cpuMs,
    redisMs: usageOf(redis.pid).cpuMs,
    traffic: await redisTraffic(redis.port),
  });
  await proxy.ask({ kind: "reset", delayMs: scenario.addedMs });
  await run({ ...scenario, startFor: scenario.addedMs > 0 ? WARM_UP_MS : RUN_IN_MS }, stage);
  const before = await usage();
  const { requests, wallMs, latenciesMs, cpuMs, busy } = await run(scenario, stage);
  const after = await usage();
  const [connection] = far.connections;
  const counted =
    hasSessions && connection !== undefined
      ? await count(proxy, connection, requestsOf(scenario, clients.get(scenario.size) ?? []))
      : null;
  const latencies = [...latenciesMs].sort((a, b) => a - b);
  return {
    requestsPerSecond: (requests / wallMs) * 1_000,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    cpuUs: ((after.contenderMs - before.contenderMs) / requests) * 1_000,
    redisCpuUs: ((after.redisMs - before.redisMs) / requests) * 1_000,
    loadCpuUs: (cpuMs / requests) * 1_000,
    redisBytesIn: (after.traffic.in - before.traffic.in) / requests,
    redisBytesOut: (after.traffic.out - before.traffic.out) / requests,
    ...{ counted, requests, notes: notesOf(busy, counted) },
  };
}

function notesOf(busy: number, counted: Counted | null): string[] {
  const notes: string[] = [];
  if (busy > TOO_BUSY)
    notes.push("the load generator was hardly ever idle: this is its own speed as much as the contender's");
  // A tenth of the requests may be writes; the quickest is a read.
  if (counted !== null && counted.waits !== Math.floor(counted.roundTrips))
    notes.push(`by latency an answer waits for ${counted.waits} round trips; counted were ${counted.roundTrips}`);
  return notes;
}
