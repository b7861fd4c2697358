/** The wiring: what is built, in which order, from which parts. Kept apart from container.ts, which is the user's. */
import type { Model, ServiceModel } from "../../model.js";
import { HEADER } from "../entity/source.js";

export function containerFile(model: Model): string {
  const { features, services } = model;
  const { entities, sagas } = features;
  const replaceable = entities || (sagas && services.length > 0);
  const needed = ["settings", "logger", "scope", ...(replaceable ? ["bindings"] : [])];
  const parts = [
    bindingsText(sagas ? services : null, entities),
    WIRING,
    `export async function wire({ ${needed.join(", ")} }: Wiring): Promise<Wired> {\n`,
    DATABASE,
    entities ? USE_CASES : NO_USE_CASES,
    SESSIONS,
    sagas ? runsText(model) : "",
    applicationText(features),
    "}\n",
  ];
  return `${HEADER}${importsText(model)}\n${parts.join("")}`;
}

/** As the formatter sorts them: packages, then paths from the farthest to the nearest. */
function importsText({ features, services }: Model): string {
  const { entities, sagas, simulated, localHandlers } = features;
  const remote = services.some(({ transport }) => transport !== "local");
  const useCases = entities ? "{ type Repositories, type UseCases, useCasesFrom }" : "type { UseCases }";
  const lines: readonly (string | false)[] = [
    sagas && 'import type { Participant } from "@clean-arch/runtime";',
    'import type { FastifyInstance } from "fastify";',
    'import type { Application } from "../../application/application.generated.js";',
    sagas && localHandlers && 'import { handlers } from "../../application/handlers/handlers.generated.js";',
    'import type { Dependency } from "../../application/ports/health.js";',
    'import type { Logger } from "../../application/ports/logger.js";',
    `import ${useCases} from "../../application/use-cases/use-cases.generated.js";`,
    'import { buildServer } from "../../interfaces/http/server.js";',
    'import type { Settings } from "../config/settings.js";',
    sagas && 'import { runsCheck } from "../health/runs-check.js";',
    'import { createTelemetry } from "../metrics/metrics.js";',
    sagas && 'import { runMetrics } from "../metrics/run-metrics.js";',
    'import { openDatabase } from "../persistence/database.js";',
    'import { prepareDatabase } from "../persistence/prepare.js";',
    entities && 'import { repositoriesOn } from "../persistence/repositories.js";',
    entities && 'import { createUuidV7 } from "../persistence/uuid-v7.js";',
    'import { auditSessions } from "../session/audit.js";',
    'import { createSessionStore, createSessions } from "../session/manager.js";',
    'import { openSessions } from "../session/open.js";',
    'import { requestSessions } from "../session/request-sessions.js";',
    sagas && 'import { createSagas } from "../session/saga.js";',
    'import { httpSettings } from "./http-settings.js";',
    sagas && simulated && 'import { createLedger } from "./ledger.js";',
    sagas && localHandlers && 'import { localService } from "./local-service.js";',
    sagas && remote && 'import { remoteService } from "./remote-service.js";',
    'import type { Scope } from "./scope.js";',
  ];
  return lines.flatMap((line) => (line === false ? [] : [`${line}\n`])).join("");
}

function bindingsText(services: readonly ServiceModel[] | null, entities: boolean): string {
  const participants = (services ?? []).map(({ name }) => `    readonly ${name.raw}?: Participant;\n`).join("");
  const members = [
    entities ? "  readonly repositories?: Partial<Repositories>;\n" : "",
    participants === "" ? "" : `  readonly participants?: {\n${participants}  };\n`,
  ].join("");
  const text = "/** What container.ts may put in the place of what is built here. */\n";
  return members === ""
    ? `${text}export type Bindings = Readonly<Record<never, never>>;\n\n`
    : `${text}export interface Bindings {\n${members}}\n\n`;
}

const WIRING = `export interface Wiring {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly scope: Scope;
  readonly bindings: Bindings;
}

export interface Wired {
  readonly application: Application;
  readonly server: FastifyInstance;
}

`;

const DATABASE = `  const database = scope.own("database", await openDatabase(settings, logger), (opened) => opened.close());
  const { migrationsFolder, production } = settings;
  const migrated = await prepareDatabase(database.migrated, { migrationsFolder, production, now: Date.now });
  if (migrated.length > 0) logger.info({ migrated }, "migrations applied");
`;

const USE_CASES = `  const clock = { now: Date.now };
  const repositories: Repositories = { ...repositoriesOn(database.opened), ...bindings.repositories };
  const useCases: UseCases = useCasesFrom(repositories, { clock, newId: createUuidV7(clock) });

`;

const NO_USE_CASES = `  const useCases: UseCases = {};

`;

const SESSIONS = `  const sessionStore = createSessionStore(settings, logger);
  const events = auditSessions(logger);
  const sessions = createSessions(settings, { store: sessionStore, events, logger });
  scope.own("sessions", sessions, (manager) => manager.close());
  await openSessions(settings, sessions, logger);

`;

const LEDGER = `  const ledger = createLedger(settings);
  if (ledger !== null) scope.own("ledger", ledger, (opened) => opened.close());
`;

function runsText({ services, features }: Model): string {
  const { simulated, localHandlers } = features;
  const ledger = simulated ? "ledger" : "null";
  const entries = services.map(({ name, transport }) =>
    transport === "local"
      ? `    ${name.raw}: localService(settings, "${name.raw}", handlers.${name.raw}, handlerDeps),\n`
      : `    ${name.raw}: remoteService(settings, "${name.raw}", ${ledger}, logger),\n`,
  );
  const replaced = services.length === 0 ? "" : "    ...bindings.participants,\n";
  const list = `${entries.join("")}${replaced}`;
  return [
    simulated ? LEDGER : "",
    localHandlers ? "  const handlerDeps = { useCases, logger };\n" : "",
    `  const participants: Record<string, Participant> = {${list === "" ? "" : `\n${list}  `}};\n`,
    `  const sagas = createSagas(settings, sessionStore, participants, logger);
  const runs = scope.own("runs", sagas, (manager) => manager.close());
  await runs.open();

`,
  ].join("");
}

function applicationText({ sagas, simulated }: Model["features"]): string {
  return `  const dependencies: Dependency[] = [
    { name: "database", check: () => database.check() },
    { name: "sessions", check: async () => void (await sessions.ping()) },
${sagas ? '    { name: "runs", check: runsCheck(runs) },\n' : ""}  ];
  const application: Application = {
    useCases,
    sessions,
${sagas ? "    runs,\n" : ""}${sagas && simulated ? "    ledger,\n" : ""}    dependencies,
    telemetry: createTelemetry([${sagas ? "runMetrics(runs)" : ""}]),
  };
  const server = await buildServer({
    settings: httpSettings(settings),
    application,
    logger,
    requestSessions: requestSessions(settings, { sessions, events, logger }),
  });
  scope.own("server", server, (instance) => instance.close());
  return { application, server };
`;
}
