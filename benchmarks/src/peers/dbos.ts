import { DBOS } from "@dbos-inc/dbos-sdk";
import { sagaDriver, serveSagas } from "../sagas/contender.js";
import { SHAPES, type Shape, shapeName } from "../sagas/scenarios.js";
import { INPUT, perform, refuse, undo } from "../sagas/work.js";

/**
 * DBOS 5.3 on PostgreSQL. A workflow function whose steps are `runStep` calls; compensation is a `catch`, as its documentation has it.
 * A run is a plain call of the registered function: it runs at once in this process, without a queue, and nothing is polled at its end.
 * Its pool has the 10 connections of the default: with 20 and 50 the server spent up to twice as much per step and gained nothing.
 */

type Workflow = (input: typeof INPUT) => Promise<void>;
const workflows = new Map<string, Workflow>(SHAPES.map((shape) => [shapeName(shape), workflow(shape)]));

function workflow({ steps, fails }: Shape): Workflow {
  const body = async (_: typeof INPUT): Promise<void> => {
    const last = fails ? steps - 1 : steps;
    for (let step = 1; step <= last; step += 1)
      await DBOS.runStep(() => Promise.resolve(perform(step)), { name: `step-${step}` });
    if (!fails) return;
    try {
      await DBOS.runStep(() => Promise.reject(new Error(refuse())), { name: `step-${steps}` });
    } catch {
      for (let step = last; step >= 1; step -= 1)
        await DBOS.runStep(() => Promise.resolve(undo(step)), { name: `undo-${step}` });
    }
  };
  return DBOS.registerWorkflow(body, { name: shapeName({ steps, fails }) });
}

serveSagas(
  sagaDriver({
    open: async ({ databaseUrl }) => {
      DBOS.setConfig({
        name: "bench",
        systemDatabaseUrl: databaseUrl,
        logLevel: "error",
        enableOTLP: false,
      });
      await DBOS.launch();
    },
    run: async (shape) => {
      const run = workflows.get(shapeName(shape));
      if (run === undefined) throw new Error(`expected a workflow of the shape ${shapeName(shape)}, got none`);
      await run(INPUT);
    },
    close: () => DBOS.shutdown(),
  }),
);
