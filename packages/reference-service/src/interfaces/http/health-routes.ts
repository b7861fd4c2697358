import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { Application } from "../../application/application.generated.js";
import type { Dependency } from "../../application/ports/health.js";
import type { HttpSettings } from "./http-settings.js";

const CHECK_TIMEOUT_MS = 2_000;

const Status = Type.Enum(["up", "down"]);
const Ready = Type.Object({
  status: Status,
  dependencies: Type.Record(Type.String(), Type.Object({ status: Status, detail: Type.Optional(Type.String()) })),
});
const MetricsText = { description: "The samples.", content: { "text/plain": { schema: Type.String() } } };

/**
 * `/health/live`: the process answers. `/health/ready`: each dependency answers; 503 names those that do not.
 * `/metrics` unless `observability.metrics` is off.
 */
export function healthRoutes(
  app: FastifyInstance,
  { dependencies, telemetry }: Application,
  settings: HttpSettings,
): void {
  const schema = (summary: string, response: object) => ({ schema: { tags: ["health"], summary, response } });

  app.get(
    "/health/live",
    schema("The process runs", { 200: Type.Object({ status: Type.Literal("up") }) }),
    async () => ({ status: "up" }),
  );

  app.get("/health/ready", schema("Every dependency answers", { 200: Ready, 503: Ready }), async (_request, reply) => {
    const checks = await Promise.all(dependencies.map(async (one) => [one.name, await check(one)] as const));
    const up = checks.every(([, result]) => result.status === "up");
    return reply.code(up ? 200 : 503).send({ status: up ? "up" : "down", dependencies: Object.fromEntries(checks) });
  });

  if (!settings.metrics) return;
  app.get("/metrics", schema("Metrics in Prometheus text format", { 200: MetricsText }), async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(await telemetry.text()),
  );
}

async function check(dependency: Dependency): Promise<{ status: "up" | "down"; detail?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), CHECK_TIMEOUT_MS);
  });
  try {
    const detail = await Promise.race([dependency.check(), timeout]);
    return detail === undefined ? { status: "up" } : { status: "up", detail };
  } catch {
    return { status: "down" };
  } finally {
    clearTimeout(timer);
  }
}
