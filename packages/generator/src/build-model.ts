/** From a checked config to the model. Everything a target would otherwise have to decide is decided here, once. */
import { buildEntities } from "./build-entities.js";
import { buildEvents } from "./build-events.js";
import { sha256 } from "./hash.js";
import type {
  CompensationModel,
  DatabaseModel,
  HandlerModel,
  JsonValue,
  Model,
  RetryPolicy,
  ServiceModel,
  StageModel,
  WaveModel,
} from "./model.js";
import { handlerNames, namesOf } from "./naming.js";
import { over, recoveryPolicy, retryOf } from "./retry-policies.js";
import { buildSettings, environmentOf } from "./settings.js";
import { publishedSchema } from "./spec/published.js";
import { DATABASE_FILE, isPostgresUrl } from "./spec/rules/database.js";
import { VARIABLE } from "./spec/rules/services.js";
import { withLeadingSlash } from "./spec/rules/urls.js";
import type { CompensationConfig, Config, ServiceConfig, StageConfig, TaskConfig } from "./spec/schema.js";

const STAGE_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_ITEMS = 1_000;

export interface ModelSource {
  /** `project.name`, else what stands in for it (semantics of `--out`); any case. */
  readonly name: string;
  /** The config file as given. */
  readonly text: string;
}

export function buildModel(config: Config, { name, text }: ModelSource): Model {
  const projectName = namesOf(name);
  const recoveryRetry = recoveryPolicy(config);
  const tasks = config.long_running.enabled ? config.long_running.tasks : [];
  const workflows = config.session.saga.enabled ? tasks.filter((task) => task.type === "workflow") : [];
  const batches = tasks.filter((task) => task.type === "batch");
  const services = buildServices(config, [...workflows, ...batches], recoveryRetry);
  const byName = new Map(services.map((service) => [service.name.raw, service]));
  const context: Context = { config, recoveryRetry, services: byName };
  const database = buildDatabase(config, `data/${projectName.kebab}.db`);
  const settings = buildSettings({
    config,
    database,
    services: services.map(({ name: { raw }, transport, url, headers }) => ({
      name: raw,
      transport,
      url,
      headers: Object.fromEntries(headers.map((header) => [header.name, header.value])),
    })),
  });
  const has = (transport: ServiceModel["transport"]): boolean => services.some((one) => one.transport === transport);
  const { session, project, observability } = config;
  const entities = buildEntities(config.domain.entities);
  const events = buildEvents(config, projectName, entities);
  const publishing = events.published.length > 0;
  const consuming = events.handlers.length > 0;
  const choreographed = session.saga.enabled && session.saga.orchestration === "choreography";
  const { checkpoint, recovery, retention } = session;
  return {
    project: {
      name: projectName,
      version: project.version,
      description: project.description,
      license: project.license,
      author: project.author ?? null,
      packageManager: "npm",
    },
    http: {
      port: config.http.port,
      host: config.http.host,
      bodyLimitBytes: config.http.body_limit,
      auth: config.http.auth ?? null,
    },
    database,
    redisUrl: config.redis.url ?? null,
    natsUrl: config.nats.url ?? null,
    session: {
      saga: {
        enabled: session.saga.enabled,
        orchestration: session.saga.orchestration,
        timeoutMs: session.saga.timeout,
      },
      context: {
        storage: available(session.context.storage, ["redis", "sqlite", "memory"]),
        ttlMs: session.context.ttl,
        absoluteTtlMs: session.context.absolute_ttl,
        prefix: session.context.prefix,
        encrypted: session.context.encryption.enabled,
      },
      checkpoint: {
        enabled: checkpoint.enabled,
        strategy: checkpoint.strategy,
        intervalMs: checkpoint.strategy === "time" ? (checkpoint.interval ?? 30_000) : null,
        // A count is written like a duration in seconds, and was read as one.
        everySteps: checkpoint.strategy === "count" ? (checkpoint.interval ?? 30_000) / 1000 : null,
        maxRetries: checkpoint.max_retries,
        keep: checkpoint.keep,
      },
      recovery: {
        enabled: recovery.enabled,
        strategy: recovery.strategy,
        retry: recoveryRetry,
        leaseMs: recovery.lease,
        maxCrashes: recovery.max_crashes,
      },
      retention: { endedMs: retention.enabled ? retention.ended : null },
    },
    services,
    entities,
    sagas: workflows.map((task) => ({
      name: namesOf(task.name),
      timeoutMs: task.timeout ?? session.saga.timeout,
      timeoutWritten: task.timeout !== undefined,
      startTimeoutMs: task.start_timeout ?? null,
      waves: buildWaves(task, context),
      waitingCompensations: task.compensation
        .filter(({ stage }) => !stagesOf(task).some((one) => one.name === stage))
        .map((one) => buildCompensation(one, task, one.service ?? "", context)),
    })),
    batches: batches.map((task) => ({
      name: namesOf(task.name),
      timeoutMs: task.timeout ?? session.saga.timeout,
      schedule:
        task.schedule === undefined
          ? null
          : {
              cron: task.schedule.trim().split(/\s+/).join(" "),
              timezone: task.timezone ?? "UTC",
              overlap: task.overlap ?? "skip",
              catchUp: task.catch_up ?? false,
            },
      source: buildSource(task),
      chunkSize: task.chunk_size ?? 100,
      concurrency: task.concurrency ?? 1,
      maxFailures: task.max_failures ?? 0,
      waves: buildWaves(task, context),
    })),
    events,
    observability: { logLevel: observability.log_level, metrics: observability.metrics },
    features: {
      sagas: session.saga.enabled,
      checkpoints: checkpoint.enabled,
      recovery: recovery.enabled,
      longRunning: config.long_running.enabled,
      entities: entities.length > 0,
      events: publishing || consuming,
      publishing,
      consuming,
      asyncapi: publishing || consuming || choreographed,
      localHandlers: has("local"),
      simulated: has("simulated"),
      httpParticipants: has("http"),
      metrics: observability.metrics,
      docker: config.deploy.docker,
      compose: config.deploy.compose,
    },
    settings,
    environment: environmentOf(settings, publishedSchema().schema),
    source: { text, configHash: hashOfConfig(config) },
  };
}

interface Context {
  readonly config: Config;
  readonly recoveryRetry: RetryPolicy;
  readonly services: ReadonlyMap<string, ServiceModel>;
}

function buildDatabase({ database: { driver, url } }: Config, standardFile: string): DatabaseModel {
  const server = isPostgresUrl(url) ? url : null;
  return {
    driver: driver ?? (server === null ? null : "postgres"),
    url: server,
    file: DATABASE_FILE.exec(url ?? "")?.[1] ?? standardFile,
  };
}

function available<T extends string>(value: string, values: readonly T[]): T {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new Error(`a config with ${value} should have been refused`);
  return found;
}

const isGroup = (stage: StageConfig): boolean => stage.parallel !== undefined;

type ActionConfig = Omit<StageConfig, "parallel">;

/** The stages that do something, groups opened. */
const stagesOf = (task: TaskConfig): ActionConfig[] => task.stages.flatMap((stage) => stage.parallel ?? [stage]);

interface Call {
  readonly service: string;
  readonly path: string;
  readonly kind: HandlerModel["kind"];
  readonly stage: string;
}

function callsOf(task: TaskConfig): Call[] {
  const stages = stagesOf(task);
  const serviceOf = new Map(stages.map((stage) => [stage.name, stage.service]));
  return [
    ...stages.map(
      (stage): Call => ({
        service: stage.service ?? "",
        path: stage.endpoint ?? "",
        kind: "action",
        stage: stage.name ?? "",
      }),
    ),
    ...task.compensation.map(
      (one): Call => ({
        service: one.service ?? serviceOf.get(one.stage) ?? "",
        path: one.action,
        kind: "compensation",
        stage: one.stage,
      }),
    ),
    ...(task.source?.service === undefined
      ? []
      : [
          { service: task.source.service, path: task.source.endpoint ?? "", kind: "action" as const, stage: task.name },
        ]),
  ];
}

function buildServices(config: Config, tasks: readonly TaskConfig[], base: RetryPolicy): ServiceModel[] {
  const calls = tasks.flatMap(callsOf);
  const declared = Object.keys(config.services ?? {});
  const undeclared = calls.map((call) => call.service).filter((name) => !declared.includes(name));
  return [...declared, ...new Set(undeclared)].map((name) => {
    const written: ServiceConfig = config.services?.[name] ?? {};
    const transport = available(written.transport ?? (written.url === undefined ? "simulated" : "http"), [
      "http",
      "local",
      "simulated",
    ]);
    const own = calls.filter((call) => call.service === name);
    return {
      name: namesOf(name),
      transport,
      url: transport === "http" ? (written.url?.replace(/\/+$/, "") ?? null) : null,
      declared: declared.includes(name),
      used: own.length > 0,
      timeoutMs: written.timeout ?? null,
      retry: written.retry === undefined ? null : over(base, written.retry),
      headers: Object.entries(written.headers ?? {}).map(([header, value]) => ({
        name: header,
        value,
        variables: [...new Set([...value.matchAll(VARIABLE)].map((match) => match[1] ?? ""))],
      })),
      handlers: transport === "local" ? buildHandlers(own) : [],
    };
  });
}

function buildHandlers(calls: readonly Call[]): HandlerModel[] {
  const handlers = new Map<string, HandlerModel & { stages: string[] }>();
  for (const { path, kind, stage } of calls) {
    const endpoint = withLeadingSlash(path);
    const handler = handlers.get(endpoint) ?? { endpoint, name: handlerNames(endpoint), kind, stages: [] };
    if (!handler.stages.includes(stage)) handler.stages.push(stage);
    handlers.set(endpoint, handler);
  }
  return [...handlers.values()];
}

function buildWaves(task: TaskConfig, context: Context): WaveModel[] {
  return task.stages.map((stage) => ({
    parallel: isGroup(stage),
    stages: (stage.parallel ?? [stage]).map((one) => buildStage(one, task, context)),
    pivot: stage.pivot ?? false,
  }));
}

function buildStage(stage: ActionConfig, task: TaskConfig, context: Context): StageModel {
  const service = serviceNamed(stage.service ?? "", context);
  const compensation = task.compensation.find((one) => one.stage === stage.name);
  const endpoint = withLeadingSlash(stage.endpoint ?? "");
  return {
    name: namesOf(stage.name ?? ""),
    service: service.name.raw,
    endpoint,
    method: stage.method ?? "POST",
    timeoutMs: stage.timeout ?? service.timeoutMs ?? STAGE_TIMEOUT_MS,
    ...retryOf(stage.retry, task, service, context.recoveryRetry),
    refusals: stage.refusals ?? [],
    when: stage.when ?? null,
    input: stage.input ?? null,
    map:
      stage.map === undefined
        ? null
        : {
            over: stage.map,
            concurrency: stage.concurrency ?? 1,
            maxItems: stage.max_items ?? DEFAULT_MAX_ITEMS,
          },
    handler: service.handlers.find((one) => one.endpoint === endpoint)?.name ?? null,
    compensation: compensation === undefined ? null : buildCompensation(compensation, task, service.name.raw, context),
  };
}

function buildCompensation(
  written: CompensationConfig,
  task: TaskConfig,
  serviceOfStage: string,
  context: Context,
): CompensationModel {
  const service = serviceNamed(written.service ?? serviceOfStage, context);
  const action = withLeadingSlash(written.action);
  return {
    stage: written.stage,
    service: service.name.raw,
    action,
    timeoutMs: written.timeout ?? service.timeoutMs ?? STAGE_TIMEOUT_MS,
    ...retryOf(written.retry, task, service, context.recoveryRetry),
    handler: service.handlers.find((one) => one.endpoint === action)?.name ?? null,
  };
}

function serviceNamed(name: string, { services }: Context): ServiceModel {
  const service = services.get(name);
  if (service === undefined) throw new Error(`no service ${name}: the rules should have refused it`);
  return service;
}

function buildSource({ source }: TaskConfig): Model["batches"][number]["source"] {
  if (source?.entity !== undefined)
    return { kind: "entity", entity: namesOf(source.entity), where: source.where ?? {} };
  if (source?.service !== undefined) {
    return { kind: "service", service: source.service, endpoint: withLeadingSlash(source.endpoint ?? "") };
  }
  return { kind: "items", items: source?.items ?? [] };
}

/** sha256 (hex) of what a config says, whatever its spelling. */
export const hashOfConfig = (config: Config): string => sha256(canonicalJson(config));

/** Keys sorted at every level, so that one config has one hash. */
function canonicalJson(value: unknown): string {
  const sorted = (one: unknown): JsonValue => {
    if (Array.isArray(one)) return one.map(sorted);
    if (one === null || typeof one !== "object") return one as JsonValue;
    const entries = Object.entries(one).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
  };
  return JSON.stringify(sorted(value));
}
