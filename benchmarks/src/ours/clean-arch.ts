import { join } from "node:path";
import {
  BusinessRefusal,
  createSagaManager,
  type Json,
  type RunStore,
  resolveConfig,
  type SagaDefinition,
  type SagaManager,
  saga,
} from "@clean-arch/runtime";
import { createPostgresRunStore } from "@clean-arch/runtime/postgres";
import { createSqliteRunStore } from "@clean-arch/runtime/sqlite";
import { type Recorder, recordStatements } from "../floor/record-statements.js";
import { type SagaDriver, sagaDriver, serveSagas } from "../sagas/contender.js";
import type { Place } from "../sagas/protocol.js";
import { SHAPES, type Shape, shapeName } from "../sagas/scenarios.js";
import { INPUT, perform, refuse, undo } from "../sagas/work.js";

/**
 * Ours, on PostgreSQL or (argument `sqlite`) on SQLite, with the settings that it has by default: five connections for writing, snapshots
 * of the context every 30 s, a lease of 10 s. PostgreSQL commits with synchronous_commit=on, SQLite with synchronous=FULL.
 */
const WAIT_MS = 60_000;

function definition({ steps, fails }: Shape): SagaDefinition {
  const last = fails ? steps - 1 : steps;
  // Names of steps that only exist at run time: the builder's types, which carry outputs by name, have nothing to say about them.
  let builder = saga<Json>(shapeName({ steps, fails }));
  for (let step = 1; step <= last; step += 1)
    builder = builder.step(`step-${step}`, { run: () => perform(step), compensate: () => undo(step) });
  if (fails) builder = builder.step(`step-${steps}`, { run: () => Promise.reject(new BusinessRefusal(refuse())) });
  return builder.build();
}

function createStore({ databaseUrl, folder }: Place): RunStore {
  if (process.argv[2] === "sqlite") return createSqliteRunStore({ file: join(folder, "runs.db") });
  return createPostgresRunStore({ url: databaseUrl });
}

class CleanArchDriver implements SagaDriver {
  #manager: SagaManager | null = null;

  async open(place: Place): Promise<void> {
    const definitions = SHAPES.map(definition);
    const options = { store: createStore(place), definitions, participants: {}, config: resolveConfig() };
    this.#manager = createSagaManager(options);
    await this.#manager.open();
  }

  async run(shape: Shape): Promise<void> {
    if (this.#manager === null) throw new Error("expected to be opened first");
    const { id } = await this.#manager.start(shapeName(shape), INPUT);
    const { status } = await this.#manager.wait(id, WAIT_MS);
    const expected = shape.fails ? "compensated" : "completed";
    if (status !== expected) throw new Error(`expected the run ${id} to be ${expected}, got ${status}`);
  }

  async close(): Promise<void> {
    await this.#manager?.close();
  }
}

const driver = sagaDriver(new CleanArchDriver());
let recorder: Recorder | null = null;
let recording = "";

serveSagas({
  open: async (place) => {
    recording = place.recording;
    if (recording !== "") recorder = recordStatements();
    await driver.open(place);
  },
  measure: async (scenario) => {
    recorder?.begin();
    const measured = await driver.measure(scenario);
    recorder?.end(measured.steps);
    return measured;
  },
  close: async () => {
    // What closing sends is no part of a replay.
    recorder?.write(recording);
    await driver.close();
  },
});
