import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunStore } from "@clean-arch/runtime";
import { withCleanUp } from "./clean-up.js";
import { Clients } from "./clients.js";
import { faultSchedule } from "./faults/fault-schedule.js";
import { Mischief } from "./faults/mischief.js";
import { Owners } from "./faults/owners.js";
import { Operators } from "./operators.js";
import { takeovers } from "./oracle/journal.js";
import { judge } from "./oracle/oracle.js";
import { see } from "./oracle/seen.js";
import type { Participants } from "./participants/participants.js";
import type { ChaosReport } from "./report.js";
import { buildWorld, CALL_TIMEOUT_MS, LEASE_MS, type World, type WorldOptions } from "./world.js";

export interface ChaosOptions extends WorldOptions {
  readonly lengthMs: number;
  /** Starts in a second. Default 10. */
  readonly perSecond?: number;
  /** See fault-schedule.ts. Default 1. */
  readonly pace?: number;
}

const CONFIG = fileURLToPath(new URL("chaos-service.yaml", import.meta.url));
/** Work of a killed instance is taken over within the lease and so much more. */
const TAKEOVER_SLACK_MS = 2_000;
/** What everything may take to come to its end, once nothing goes wrong any more. */
const SETTLE_MS = 180_000;
const SAY_EVERY_MS = 30_000;

/**
 * Processes of a generated service on one PostgreSQL, each behind a network of its own, are killed, stopped, cut off and
 * lied to about the time while clients start sagas; the participants keep the books. Then all is healed, everything comes
 * to its end, and what the participants and the clients saw is judged. Leaves no process and no folder behind.
 */
export function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  return withCleanUp(options.say, async (cleanUp) =>
    live(options, await buildWorld(options, { config: CONFIG }, cleanUp)),
  );
}

async function live(options: ChaosOptions, world: World): Promise<ChaosReport> {
  const { seed, lengthMs, perSecond = 10, pace = 1, say } = options;
  const { config, history, postgres, participants, instances, store, died } = world;
  const clients = new Clients({
    ...{ seed, instances, history, perSecond, maxOpen: perSecond * 15 },
    definitions: [...config.sagas.keys()],
  });
  const owners = new Owners(store);
  const operators = new Operators({ seed, instances, clients, history, everyMs: 1_500 });
  const mischief = new Mischief({ seed, instances, postgres, history, owners });
  const startedAt = performance.now();
  clients.start();
  operators.start();
  mischief.start(faultSchedule({ seed, lengthMs, leaseMs: LEASE_MS, pace }));
  for (let left = lengthMs; left > 0; left = lengthMs - (performance.now() - startedAt)) {
    await sleep(Math.min(left, SAY_EVERY_MS));
    const faults = [...mischief.counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
    say(
      `${((performance.now() - startedAt) / 1_000).toFixed(0)} s: ${clients.runs.length} runs, ${clients.open.length} open; ${faults}`,
    );
  }

  await mischief.heal();
  participants.calm();
  await operators.stop();
  await clients.stop();
  await owners.settle();
  await settle(clients, participants);
  // Told once more, by anybody: an end that was told stays what it was.
  for (const run of clients.runs) await clients.look(run);

  const journals = new Map<string, Awaited<ReturnType<RunStore["journal"]>>>();
  for (const run of new Set(history.events.flatMap((event) => ("run" in event ? [event.run] : []))))
    journals.set(run, await store.journal(run));
  const seen = see(history.events, config, CALL_TIMEOUT_MS);
  const outages = seen.faults.filter(({ fault }) => fault === "restart");
  const found = takeovers(owners.orphaned, journals, outages);
  const takeoverBoundMs = LEASE_MS + TAKEOVER_SLACK_MS;
  const violations = [...judge({ seen, journals, takeovers: found, takeoverBoundMs }), ...died];
  return {
    ...{ seed, lengthMs, events: history.events, violations, journals, takeovers: found },
    ...{ leaseMs: LEASE_MS, takeoverSlackMs: TAKEOVER_SLACK_MS },
    ...{ faults: mischief.counts, terminated: mischief.terminated, swallowed: mischief.swallowed },
    ...{ instances: instances.length, clocks: world.clocks, seen },
  };
}

/** Until every run has ended or is parked, and no call of a participant is still to come. */
async function settle(clients: Clients, participants: Participants): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  while ((clients.open.length > 0 || participants.underWay > 0) && performance.now() < until) {
    for (const run of clients.open) await clients.look(run);
    await sleep(500);
  }
}
