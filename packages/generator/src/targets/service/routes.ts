/** Which routes the service has: whole groups of them, by feature. */
import type { Model } from "../../model.js";
import { HEADER } from "../entity/source.js";

interface RouteGroup {
  readonly file: string;
  readonly functions: readonly string[];
  /** False: the same for every caller. */
  readonly context?: boolean;
}

export function routesFile({ features }: Model): string {
  const { sagas, longRunning, batches, schedules, queues, simulated, entities, asyncapi } = features;
  const starts = ["sagaStartRoute", ...(longRunning ? ["taskStartRoute"] : [])];
  const groups: RouteGroup[] = [
    ...(asyncapi ? [{ file: "events.generated", functions: ["eventRoutes"] }] : []),
    { file: "session-routes", functions: ["sessionRoutes"] },
    ...(sagas
      ? [
          { file: "start-routes", functions: starts },
          { file: "run-routes", functions: ["runRoutes"] },
          ...(batches ? [{ file: "failed-item-routes", functions: ["failedItemRoutes"], context: false }] : []),
          ...(schedules ? [{ file: "schedule-routes", functions: ["scheduleRoutes"], context: false }] : []),
          ...(queues ? [{ file: "queue-routes", functions: ["queueRoutes"], context: false }] : []),
          { file: "operation-routes", functions: ["operationRoutes"], context: false },
        ]
      : []),
    ...(sagas && simulated ? [{ file: "simulated-routes", functions: ["simulatedRoutes"] }] : []),
    ...(entities ? [{ file: "entities.generated", functions: ["registerEntities"] }] : []),
  ];
  const local = [
    'import type { HttpContext } from "./http-context.js";',
    ...groups.map(({ file, functions }) => `import { ${functions.join(", ")} } from "./${file}.js";`),
  ];
  const sorted = local.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  const calls = groups.flatMap(({ functions, context }) =>
    functions.map((name) => `  ${name}(app, application${context === false ? "" : ", context"});\n`),
  );
  return `${HEADER}import type { FastifyInstance } from "fastify";
import type { Application } from "../../application/application.generated.js";
${sorted.join("\n")}

export function registerRoutes(app: FastifyInstance, application: Application, context: HttpContext): void {
${calls.join("")}}
`;
}

const pathOf = (line: string): string => line.slice(line.indexOf('"./'), line.indexOf('.js"'));
