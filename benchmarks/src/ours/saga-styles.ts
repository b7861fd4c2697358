import { join } from "node:path";
import {
  createSagaManager,
  type Json,
  type RunStore,
  resolveConfig,
  type SagaDefinition,
  type SagaManager,
  saga,
} from "@clean-arch/runtime";
import { createNatsBroker } from "@clean-arch/runtime/nats";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { createSqliteRunStore } from "@clean-arch/runtime/sqlite";
import { type EventDriver, serveEvents } from "../events/contender.js";
import { Effects } from "../events/effects.js";
import { actOf } from "../events/order-placed.js";
import type { Place } from "../events/protocol.js";
import { STAGES } from "../events/scenarios.js";

/**
 * The same saga in both styles (first argument `orchestration` or `choreography`), on PostgreSQL or (second argument `sqlite`) on SQLite.
 * Choreographed, its events go through the store's outbox, or (second argument `nats`) from there by a relay to NATS. All settings are those
 * that it has by default.
 */
const [style, server] = process.argv.slice(2);
const SAGA = "order";
const WAIT_MS = 60_000;

const effects = new Effects(STAGES);

function definition(): SagaDefinition {
  if (style !== "orchestration" && style !== "choreography")
    throw new Error(`expected orchestration or choreography, got ${style}`);
  let builder = saga<Json>(SAGA, { style });
  for (let stage = 1; stage <= STAGES; stage += 1)
    builder = builder.step(`stage-${stage}`, {
      run: ({ input }) => {
        effects.done(actOf(input), stage);
        return { stage, ok: true };
      },
      compensate: () => undefined,
    });
  return builder.build();
}

function createStore({ databaseUrl, folder }: Place): RunStore {
  if (server === "sqlite") return createSqliteRunStore({ file: join(folder, "runs.db") });
  return createPostgresRunStore({ url: databaseUrl });
}

class SagaStylesDriver implements EventDriver {
  #manager: SagaManager | null = null;

  async open(place: Place): Promise<void> {
    const { natsUrl, stream } = place;
    this.#manager = createSagaManager({
      ...{ store: createStore(place), definitions: [definition()], participants: {}, config: resolveConfig() },
      ...(server === "nats" && { broker: createNatsBroker({ servers: natsUrl, stream, prefix: stream }) }),
    });
    await this.#manager.open();
  }

  async act(n: number): Promise<number> {
    if (this.#manager === null) throw new Error("expected to be opened first");
    const begin = performance.now();
    const { id } = await this.#manager.start(SAGA, { n });
    const { status } = await this.#manager.wait(id, WAIT_MS);
    if (status !== "completed") throw new Error(`expected the run ${id} to be completed, got ${status}`);
    return performance.now() - begin;
  }

  async close(): Promise<void> {
    await this.#manager?.close();
  }
}

serveEvents(new SagaStylesDriver(), effects);
