import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Nats, startNats } from "@clean-arch/test-servers";
import { parseDocument } from "yaml";
import { type CleanUp, withCleanUp } from "../clean-up.js";
import { Clients } from "../clients.js";
import { faultSchedule } from "../faults/fault-schedule.js";
import { Mischief } from "../faults/mischief.js";
import { Owners } from "../faults/owners.js";
import { Operators } from "../operators.js";
import { takeovers } from "../oracle/journal.js";
import { judge } from "../oracle/oracle.js";
import { see } from "../oracle/seen.js";
import type { ChaosReport } from "../report.js";
import { buildWorld, CALL_TIMEOUT_MS, LEASE_MS, type World, type WorldOptions } from "../world.js";
import { brokerFaults } from "./broker-faults.js";
import { BrokerMischief } from "./broker-mischief.js";
import { checkStanding } from "./oracle/standing.js";
import { allRuns, howThingsStand } from "./standing.js";

export interface ChoreographyChaosOptions extends WorldOptions {
  readonly lengthMs: number;
  /** Starts in a second. */
  readonly perSecond: number;
  /** See fault-schedule.ts. */
  readonly pace: number;
}

export interface ChoreographyChaosReport extends ChaosReport {
  /** Events that were published again by hand. */
  readonly duplicates: number;
  /** Runs of stages. */
  readonly stages: number;
}

const CONFIG = fileURLToPath(new URL("../chaos-service.yaml", import.meta.url));
/** The service's name is its stream's. */
const STREAM = "chaos-service";
const GROUP = "choreography";
const TAKEOVER_SLACK_MS = 2_000;
/** What everything may take to come to its end, once nothing goes wrong any more: an event that failed comes again within 30 s. */
const SETTLE_MS = 180_000;
/** What a broker has lost is found out within that, so that nothing is over before. */
const LOSS_SEEN_MS = 15_000;
const SAY_EVERY_MS = 30_000;

/**
 * The service of chaos.ts, choreographed: its stages react to each other's events, which a relay brings to NATS. All that is mistreated there
 * is mistreated here, and NATS as well; the participants keep the same books.
 */
export function runChoreographyChaos(options: ChoreographyChaosOptions): Promise<ChoreographyChaosReport> {
  return withCleanUp(options.say, async (cleanUp) => {
    const config = await choreographedConfig(cleanUp);
    const nats = await startNats();
    cleanUp.push(() => nats.remove());
    const world = await buildWorld(options, { config, environment: { NATS_URL: nats.url } }, cleanUp);
    return live(options, world, nats);
  });
}

async function choreographedConfig(cleanUp: CleanUp): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "chaos-config-"));
  cleanUp.push(() => rm(folder, { recursive: true }));
  const config = parseDocument(await readFile(CONFIG, "utf8"));
  config.setIn(["session", "saga", "orchestration"], "choreography");
  const file = join(folder, "chaos-service.yaml");
  await writeFile(file, config.toString());
  return file;
}

async function live(options: ChoreographyChaosOptions, world: World, nats: Nats): Promise<ChoreographyChaosReport> {
  const { seed, lengthMs, perSecond, pace, say } = options;
  const { config, history, postgres, participants, instances, store, died } = world;
  const clients = new Clients({
    ...{ seed, instances, history, perSecond, maxOpen: perSecond * 15 },
    definitions: [...config.sagas.keys()],
  });
  const stuckStage = async (run: string): Promise<string | undefined> =>
    (await allRuns(store, ["stuck"])).find(({ id, rootId }) => rootId === run && id !== run)?.id;
  const owners = new Owners(store);
  const operators = new Operators({ ...{ seed, instances, clients, history, stuckStage }, everyMs: 1_500 });
  const mischief = new Mischief({ seed, instances, postgres, history, owners });
  const broker = new BrokerMischief({ seed, nats, history, store, stream: STREAM, group: GROUP });
  const startedAt = performance.now();
  clients.start();
  operators.start();
  mischief.start(faultSchedule({ seed, lengthMs, leaseMs: LEASE_MS, pace }));
  broker.start(brokerFaults(seed, lengthMs, pace));
  for (let left = lengthMs; left > 0; left = lengthMs - (performance.now() - startedAt)) {
    await sleep(Math.min(left, SAY_EVERY_MS));
    const faults = [...mischief.counts, ...broker.counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    say(`${seconds} s: ${clients.runs.length} runs, ${clients.open.length} open; ${faults}`);
  }

  // NATS first: an instance that boots is ready when it has joined.
  await broker.heal();
  await mischief.heal();
  participants.calm();
  await operators.stop();
  await clients.stop();
  await owners.settle();
  const stand = () => howThingsStand({ store, nats, instances, stream: STREAM, group: GROUP });
  const healedAt = performance.now();
  for (let isOver = false; !isOver && performance.now() - healedAt < SETTLE_MS; ) {
    await sleep(1_000);
    for (const [run] of clients.unended) await clients.look(run);
    const isSeen = performance.now() - healedAt > LOSS_SEEN_MS;
    isOver = isSeen && clients.open.length + participants.underWay === 0 && checkStanding(await stand()).length === 0;
  }
  // Told once more, by anybody: an end that was told stays what it was.
  for (const run of clients.runs) await clients.look(run);

  const standing = await stand();
  const runs = await allRuns(store);
  const journals = new Map<string, Awaited<ReturnType<typeof store.journal>>>();
  for (const { id } of runs) journals.set(id, await store.journal(id));
  const stagesOf = new Map<string, string[]>();
  for (const { id, rootId } of runs) if (id !== rootId) stagesOf.set(rootId, [...(stagesOf.get(rootId) ?? []), id]);
  const seen = see(history.events, config, CALL_TIMEOUT_MS);
  const outages = seen.faults.filter(({ fault }) => fault === "restart");
  const found = takeovers(owners.orphaned, journals, outages);
  const takeoverBoundMs = LEASE_MS + TAKEOVER_SLACK_MS;
  const violations = [
    ...judge({ seen, journals, takeovers: found, takeoverBoundMs }),
    ...checkStanding(standing),
    ...died,
  ];
  return {
    ...{ seed, lengthMs, events: history.events, violations, journals, stagesOf, takeovers: found },
    ...{ leaseMs: LEASE_MS, takeoverSlackMs: TAKEOVER_SLACK_MS },
    faults: new Map<string, number>([...mischief.counts, ...broker.counts]),
    ...{ terminated: mischief.terminated, swallowed: mischief.swallowed, duplicates: broker.duplicates },
    ...{ instances: instances.length, clocks: world.clocks, seen, stages: runs.length - clients.runs.length },
  };
}
