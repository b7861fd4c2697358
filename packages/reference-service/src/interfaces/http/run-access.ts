import type { FastifyRequest } from "fastify";
import type { Runs, RunView } from "../../application/ports/runs.js";
import type { HttpContext } from "./http-context.js";
import { Problem } from "./problem.js";

/** The run, if the caller may read it; another's run does not exist for it. */
export async function readableRun(
  request: FastifyRequest,
  id: string,
  runs: Runs,
  context: HttpContext,
): Promise<RunView> {
  const caller = await context.callers.requireCaller(request);
  const run = await runs.get(id);
  if (mayRead(request, run, caller?.session.id, context)) return run;
  throw new Problem(404, "run-not-found", "No run has that id.");
}

/** With `http.auth: session` a client reads the runs of its own session only. */
export function mayRead(
  request: FastifyRequest,
  run: RunView,
  sessionId: string | undefined,
  { callers, settings }: HttpContext,
): boolean {
  return settings.auth !== "session" || callers.isOperator(request) || run.sessionId === sessionId;
}
