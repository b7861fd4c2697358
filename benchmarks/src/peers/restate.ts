import * as restate from "@restatedev/restate-sdk";
import * as clients from "@restatedev/restate-sdk-clients";
import { sagaDriver, serveSagas } from "../sagas/contender.js";
import { SHAPES, type Shape, shapeName } from "../sagas/scenarios.js";
import { INPUT, perform, refuse, undo } from "../sagas/work.js";

/**
 * Restate 1.7: a service whose handlers call `ctx.run` for each step, with the compensations in a `catch` as its guide has it. The
 * handlers and the client that starts runs share this process, as a service that calls itself would; the server is a process of its own.
 */
type Handler = (context: restate.Context, input: typeof INPUT) => Promise<void>;

function handler({ steps, fails }: Shape): Handler {
  const last = fails ? steps - 1 : steps;
  return async (context) => {
    for (let step = 1; step <= last; step += 1) await context.run(`step-${step}`, () => perform(step));
    if (!fails) return;
    try {
      await context.run(`step-${steps}`, () => {
        throw new restate.TerminalError(refuse());
      });
    } catch {
      for (let step = last; step >= 1; step -= 1) await context.run(`undo-${step}`, () => undo(step));
    }
  };
}

const saga = restate.service({
  name: "saga",
  handlers: Object.fromEntries(SHAPES.map((shape) => [shapeName(shape), handler(shape)])),
  // What an ended run leaves behind is dropped at once: fewer writes than its default of a day.
  options: { journalRetention: 0 },
});

/** Tells the server where the handlers are, as `restate deployments register` does. */
async function register(adminPort: number, port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/deployments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uri: `http://127.0.0.1:${port}`, force: true }),
  });
  if (!response.ok)
    throw new Error(`expected Restate to take the deployment, got ${response.status} ${await response.text()}`);
}

let ingress: clients.Ingress | null = null;

serveSagas(
  sagaDriver({
    open: async ({ ingressPort, adminPort }) => {
      const port = await restate.serve({ services: [saga], port: 0 });
      await register(adminPort, port);
      ingress = clients.connect({ url: `http://127.0.0.1:${ingressPort}` });
    },
    run: async (shape) => {
      if (ingress === null) throw new Error("expected to be opened first");
      await ingress.call({ service: "saga", handler: shapeName(shape), parameter: INPUT });
    },
    close: () => Promise.resolve(),
  }),
);
