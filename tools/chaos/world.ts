import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunStore } from "@clean-arch/runtime";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { type Postgres, startFaultyProxy, startPostgres } from "@clean-arch/test-servers";
import { generateService } from "../e2e/generated-service.js";
import type { CleanUp } from "./clean-up.js";
import { MOST_SKEW_MS } from "./faults/fault-schedule.js";
import { findLibfaketime, skewedClock } from "./faults/skewed-clock.js";
import { History } from "./history.js";
import { Instance } from "./instance.js";
import type { Violation } from "./oracle/seen.js";
import { type Participants, type ParticipantsOptions, startParticipants } from "./participants/participants.js";
import { type ChaosConfig, readChaosConfig } from "./saga-shapes.js";
import { Draws } from "./seeded.js";

export interface WorldOptions {
  readonly seed: number;
  /** Processes of the service. Default 5: two of them are always left in peace. */
  readonly instances?: number;
  /** A service that was generated and built before; default: one is made, and removed afterwards. */
  readonly folder?: string;
  /** Where the instances' logs are kept; default: nowhere. */
  readonly logs?: string;
  readonly say: (line: string) => void;
}

/** Whom the faults hit, and who keeps the books. */
export interface World {
  readonly config: ChaosConfig;
  readonly history: History;
  readonly postgres: Postgres;
  readonly participants: Participants;
  readonly instances: readonly Instance[];
  readonly store: RunStore;
  readonly died: Violation[];
  readonly clocks: string;
}

/** As the config says. */
export const LEASE_MS = 3_000;
export const CALL_TIMEOUT_MS = 1_500;

/** `config`: the file of the service's. `environment`: more of each instance's. `source`: see `ParticipantsOptions`. `amend`: see `generateService`. */
export async function buildWorld(
  options: WorldOptions,
  service: {
    readonly config: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly source?: ParticipantsOptions["source"];
    readonly amend?: (folder: string) => Promise<void>;
  },
  cleanUp: CleanUp,
): Promise<World> {
  const { seed, say } = options;
  const config = readChaosConfig(await readFile(service.config, "utf8"));
  const built =
    options.folder === undefined
      ? await generateService(service.config, service.amend)
      : { folder: options.folder, remove: () => Promise.resolve() };
  cleanUp.push(() => built.remove());
  const folder = await mkdtemp(join(tmpdir(), "chaos-"));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ settings: { max_connections: 300 } });
  cleanUp.push(() => postgres.remove());
  const history = new History();
  const participants = await startParticipants({
    ...{ seed, timeoutMs: CALL_TIMEOUT_MS, history },
    ...(service.source !== undefined && { source: service.source }),
  });
  cleanUp.push(() => participants.close());
  const store = createPostgresRunStore({ url: postgres.url(), connections: 1 });
  await store.open();
  cleanUp.push(() => store.close());

  const died: Violation[] = [];
  let refuse: (error: Error) => void = () => {};
  const refused = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  let isUp = false;
  const library = findLibfaketime();
  const draws = new Draws(seed, "instances");
  const instances: Instance[] = [];
  for (let slot = 1; slot <= (options.instances ?? 5); slot++) {
    const proxy = await startFaultyProxy({ to: postgres.port, random: () => draws.float() });
    const skewMs = Math.round(draws.between(-MOST_SKEW_MS, MOST_SKEW_MS));
    const instance = new Instance({
      ...{ folder: built.folder, slot, proxy, logs: options.logs ?? null },
      clock: await skewedClock(library, join(folder, `clock-${slot}`), skewMs),
      environment: {
        ...service.environment,
        DATABASE_URL: `postgresql://postgres@127.0.0.1:${proxy.port}/postgres`,
      },
      serviceUrls: (life) =>
        Object.fromEntries(
          config.services.map((name) => [`SERVICES_${name.toUpperCase()}_URL`, participants.url(life, name)]),
        ),
      onDied: (life, output) => {
        // Nothing was done to it yet: it would only die again.
        if (!isUp) return refuse(new Error(`expected ${life} to start, it ended:\n${output}`));
        died.push({ rule: "died", run: null, message: `${life} ended and nobody had killed it:\n${output}` });
        say(`${life} ended by itself`);
        void sleep(200).then(() => instance.boot());
      },
    });
    instances.push(instance);
    cleanUp.push(() => instance.close());
  }
  await Promise.race([Promise.all(instances.map((instance) => instance.boot())), refused]);
  isUp = true;
  return { config, history, postgres, participants, instances, store, died, clocks: library ?? "the preload module" };
}
