import type { FastifyRequest } from "fastify";
import type { Runs, RunView } from "../../application/ports/runs.js";
import type { HttpContext } from "./http-context.js";
import { Problem } from "./problem.js";

/**
 * The run, if the caller may read it. With `http.auth: session` a client reads the runs of its own session only; another's
 * run does not exist for it.
 */
export async function readableRun(
  request: FastifyRequest,
  id: string,
  runs: Runs,
  context: HttpContext,
): Promise<RunView> {
  const { callers, settings } = context;
  const caller = await callers.requireCaller(request);
  const run = await runs.get(id);
  const isOwn = run.sessionId !== null && run.sessionId === caller?.session.id;
  if (settings.auth === "session" && !isOwn && !callers.isOperator(request)) {
    throw new Problem(404, "run-not-found", "No run has that id.");
  }
  return run;
}
