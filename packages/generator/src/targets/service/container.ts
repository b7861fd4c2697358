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
    features.events ? STORE : "",
    features.publishing ? OUTBOX : "",
    entities ? useCasesText(features) : NO_USE_CASES,
    SESSIONS,
    sagas ? runsText(model) : "",
    features.events ? eventsText(features) : "",
    applicationText(features),
    "}\n",
  ];
  return `${HEADER}${importsText(model)}\n${parts.join("")}`;
}

/** As the formatter sorts them: packages, then paths from the farthest to the nearest. */
function importsText({ features, services }: Model): string {
  const { entities, sagas, simulated, localHandlers, events, publishing, consuming, entitySources } = features;
  const remote = services.some(({ transport }) => transport !== "local");
  const useCases = entities ? "{ type Repositories, type UseCases, useCasesFrom }" : "type { UseCases }";
  const lines: readonly (string | false)[] = [
    sagas && 'import type { Participant } from "@clean-arch/runtime";',
    'import type { FastifyInstance } from "fastify";',
    'import type { Application } from "../../application/application.generated.js";',
    consuming && 'import { SUBSCRIPTIONS } from "../../application/event-handlers/event-handlers.generated.js";',
    sagas && localHandlers && 'import { handlers } from "../../application/handlers/handlers.generated.js";',
    'import type { Dependency } from "../../application/ports/health.js";',
    'import type { Logger } from "../../application/ports/logger.js";',
    entitySources && 'import { entitySources } from "../../application/sagas/entity-sources.generated.js";',
    `import ${useCases} from "../../application/use-cases/use-cases.generated.js";`,
    'import { buildServer } from "../../interfaces/http/server.js";',
    'import type { Settings } from "../config/settings.js";',
    sagas && 'import { runsCheck } from "../health/runs-check.js";',
    events && `import { createEvents${publishing ? ", eventsOf" : ""} } from "../messaging/events.js";`,
    consuming && 'import { handledEvents } from "../messaging/handled-events.js";',
    publishing && 'import { createOutbox } from "../messaging/outbox.js";',
    publishing && 'import { publishedTables } from "../messaging/published-tables.generated.js";',
    consuming && entities && 'import { useCasesWithin } from "../messaging/use-cases-within.js";',
    events && 'import { eventMetrics } from "../metrics/event-metrics.js";',
    'import { createTelemetry } from "../metrics/metrics.js";',
    sagas && 'import { runMetrics } from "../metrics/run-metrics.js";',
    'import { openDatabase } from "../persistence/database.js";',
    'import { prepareDatabase } from "../persistence/prepare.js";',
    entities && 'import { repositoriesOn } from "../persistence/repositories.js";',
    entities && 'import { createUuidV7 } from "../persistence/uuid-v7.js";',
    'import { auditSessions } from "../session/audit.js";',
    events && 'import { createBroker } from "../session/broker.js";',
    'import { createSessionStore, createSessions } from "../session/manager.js";',
    'import { openSessions } from "../session/open.js";',
    'import { requestSessions } from "../session/request-sessions.js";',
    events && 'import { createRunStore } from "../session/run-store.js";',
    sagas && 'import { createSagas } from "../session/saga.js";',
    'import { httpSettings } from "./http-settings.js";',
    sagas && simulated && 'import { createLedger } from "./ledger.js";',
    sagas && localHandlers && 'import { localService } from "./local-service.js";',
    sagas && remote && 'import { createNatsCalls } from "./nats-calls.js";',
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

const STORE = `  const store = createRunStore(settings);
`;

const OUTBOX = `  const outbox = createOutbox({ store: eventsOf(store), tables: publishedTables, name: settings.name });
`;

const useCasesText = ({ publishing, consuming }: Model["features"]): string => {
  const repositories = publishing
    ? `  const repositories: Repositories = {
    ...repositoriesOn(database.opened, outbox.tellerOn),
    ...bindings.repositories,
  };
`
    : `  const repositories: Repositories = { ...repositoriesOn(database.opened), ...bindings.repositories };
`;
  const within = `  const useCasesOf = (own: Repositories): UseCases =>
    useCasesFrom({ ...own, ...bindings.repositories }, { clock, newId });
  const within = useCasesWithin(database.opened, useCasesOf${publishing ? ", outbox.tellerOn" : ""});
`;
  if (consuming)
    return `  const clock = { now: Date.now };
  const newId = createUuidV7(clock);
${repositories}  const useCases: UseCases = useCasesFrom(repositories, { clock, newId });
${within}
`;
  return `  const clock = { now: Date.now };
${repositories}  const useCases: UseCases = useCasesFrom(repositories, { clock, newId: createUuidV7(clock) });

`;
};

const NO_USE_CASES = `  const useCases: UseCases = {};

`;

const SESSIONS = `  const sessionStore = createSessionStore(settings, logger);
  const audit = auditSessions(logger);
  const sessions = createSessions(settings, { store: sessionStore, events: audit, logger });
  scope.own("sessions", sessions, (manager) => manager.close());
  await openSessions(settings, sessions, logger);

`;

const LEDGER = `  const ledger = createLedger(settings);
  if (ledger !== null) scope.own("ledger", ledger, (opened) => opened.close());
`;

const CALLS = `  const calls = scope.own("calls", createNatsCalls(settings, logger), (opened) => opened.close());
`;

const BROKER = `  const broker = createBroker(settings, logger);
  if (broker !== null) scope.own("broker", broker, (opened) => opened.close());
`;

function runsText({ services, features }: Model): string {
  const { simulated, localHandlers, events, entitySources } = features;
  const remote = services.some(({ transport }) => transport !== "local");
  const entries = services.map(({ name, transport }) =>
    transport === "local"
      ? `    ${name.raw}: localService(settings, "${name.raw}", handlers.${name.raw}, handlerDeps),\n`
      : `    ${name.raw}: remoteService(settings, "${name.raw}", remoteDeps),\n`,
  );
  const replaced = services.length === 0 ? "" : "    ...bindings.participants,\n";
  const list = `${entries.join("")}${replaced}`;
  const shared = events ? ", { store, broker }" : entitySources ? ", undefined" : "";
  return [
    simulated ? LEDGER : "",
    remote ? CALLS : "",
    remote ? `  const remoteDeps = { calls, ${simulated ? "ledger, " : ""}logger };\n` : "",
    localHandlers ? "  const handlerDeps = { useCases, logger };\n" : "",
    `  const participants: Record<string, Participant> = {${list === "" ? "" : `\n${list}  `}};\n`,
    events ? BROKER : "",
    entitySources ? "  const sources = entitySources(repositories);\n" : "",
    `  const sagas = createSagas(settings, sessionStore, participants, logger${shared}${entitySources ? ", sources" : ""});
  const runs = scope.own("runs", sagas, (manager) => manager.close());
  await runs.open();

`,
  ].join("");
}

const OPEN_STORE = `${BROKER}  scope.own("store", store, (opened) => opened.close());
  await store.open();

`;

function eventsText({ sagas, publishing, consuming, entities }: Model["features"]): string {
  const deps = `{ useCases,${sagas ? " runs," : ""} logger }${entities ? ", within" : ""}`;
  return `${sagas ? "" : OPEN_STORE}  const events = createEvents({
    settings,
    store,
    broker,
    handled: ${consuming ? `handledEvents(SUBSCRIPTIONS, ${deps})` : "[]"},
    published: ${publishing ? "outbox.counts" : "new Map()"},
${sagas ? "    others: runs.events?.parked ?? [],\n" : ""}    logger,
  });
  scope.own("events", events, (opened) => opened.close());
  await events.open();

`;
}

function applicationText({ sagas, simulated, events }: Model["features"]): string {
  const sources = [...(sagas ? ["runMetrics(runs)"] : []), ...(events ? ["eventMetrics(events)"] : [])];
  return `  const dependencies: Dependency[] = [
    { name: "database", check: () => database.check() },
    { name: "sessions", check: async () => void (await sessions.ping()) },
${sagas ? '    { name: "runs", check: runsCheck(runs) },\n' : ""}${events ? "    ...events.dependencies,\n" : ""}  ];
  const application: Application = {
    useCases,
    sessions,
${sagas ? "    runs,\n" : ""}${sagas && simulated ? "    ledger,\n" : ""}${events ? "    events,\n" : ""}    dependencies,
    telemetry: createTelemetry([${sources.join(", ")}]),
  };
  const server = await buildServer({
    settings: httpSettings(settings),
    application,
    logger,
    requestSessions: requestSessions(settings, { sessions, events: audit, logger }),
  });
  scope.own("server", server, (instance) => instance.close());
  return { application, server };
`;
}
