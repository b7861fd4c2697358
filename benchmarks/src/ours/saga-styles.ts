import { join } from "node:path";
import { createSagaManager, type RunStore, resolveConfig } from "@clean-arch/runtime";
import { createNatsBroker } from "@clean-arch/runtime/nats";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { createSqliteRunStore } from "@clean-arch/runtime/sqlite";
import { type EventDriver, serveEvents } from "../events/contender.js";
import { Effects } from "../events/effects.js";
import type { Place } from "../events/protocol.js";
import { STAGES } from "../events/scenarios.js";
import { FIVE_STAGES, fiveStages, type Style } from "./five-stages.js";

/**
 * The same saga in both styles (first argument `orchestration` or `choreography`), on PostgreSQL or (second argument `sqlite`) on SQLite.
 * Choreographed, its events go through the store's outbox, or (second argument `nats`) from there by a relay to NATS. All settings are those
 * that it has by default.
 */
const [styleName, server] = process.argv.slice(2);
const WAIT_MS = 60_000;

const effects = new Effects(STAGES);

function styleOf(name: string | undefined): Style {
  if (name === "orchestration" || name === "choreography") return name;
  throw new Error(`expected orchestration or choreography as the first argument, got ${name}`);
}

function createStore({ databaseUrl, folder }: Place): RunStore {
  if (server === "sqlite") return createSqliteRunStore({ file: join(folder, "runs.db") });
  return createPostgresRunStore({ url: databaseUrl });
}

serveEvents(effects, async (place: Place): Promise<EventDriver> => {
  const { natsUrl, stream } = place;
  const definition = fiveStages(styleOf(styleName), (act, stage) => effects.done(act, stage));
  const manager = createSagaManager({
    ...{ store: createStore(place), definitions: [definition], participants: {}, config: resolveConfig() },
    ...(server === "nats" && { broker: createNatsBroker({ servers: natsUrl, stream, prefix: stream }) }),
  });
  await manager.open();
  return {
    async act(n) {
      const begin = performance.now();
      const { id } = await manager.start(FIVE_STAGES, { n });
      const { status } = await manager.wait(id, WAIT_MS);
      if (status !== "completed") throw new Error(`expected the run ${id} to be completed, got ${status}`);
      return performance.now() - begin;
    },
    close: () => manager.close(),
  };
});
