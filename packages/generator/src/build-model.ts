/** From a checked config to the model. Everything a target would otherwise have to decide is decided here, once. */

import { available } from "./available.js";
import { buildEntities } from "./build-entities.js";
import { buildEvents } from "./build-events.js";
import { buildServices } from "./build-services.js";
import { buildBatches, buildSagas, type TaskContext } from "./build-tasks.js";
import { sha256 } from "./hash.js";
import type { DatabaseModel, JsonValue, Model, ServiceModel } from "./model.js";
import { namesOf } from "./naming.js";
import { recoveryPolicy } from "./retry-policies.js";
import { buildSettings, environmentOf } from "./settings.js";
import { publishedSchema } from "./spec/published.js";
import { DATABASE_FILE, isPostgresUrl } from "./spec/rules/database.js";
import type { Config } from "./spec/schema.js";

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
  const run = config.session.saga.enabled ? tasks : [];
  const workflows = run.filter((task) => task.type === "workflow");
  const batches = run.filter((task) => task.type === "batch");
  const services = buildServices(config, [...workflows, ...batches], recoveryRetry);
  const byName = new Map(services.map((service) => [service.name.raw, service]));
  const context: TaskContext = { config, recoveryRetry, services: byName };
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
  const built = { sagas: buildSagas(workflows, context), batches: buildBatches(batches, context) };
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
    ...built,
    events,
    observability: { logLevel: observability.log_level, metrics: observability.metrics },
    features: {
      sagas: session.saga.enabled,
      checkpoints: checkpoint.enabled,
      recovery: recovery.enabled,
      longRunning: config.long_running.enabled,
      batches: batches.length > 0,
      schedules: run.some(({ schedule }) => schedule !== undefined),
      queues: built.sagas.some(({ queue }) => queue !== null) || built.batches.some(({ queue }) => queue !== null),
      entitySources: batches.some(({ source }) => entities.some(({ name }) => name.raw === source?.entity)),
      entities: entities.length > 0,
      events: publishing || consuming,
      publishing,
      consuming,
      asyncapi: publishing || consuming || choreographed,
      localHandlers: has("local"),
      simulated: has("simulated"),
      httpParticipants: has("http"),
      natsParticipants: has("nats"),
      metrics: observability.metrics,
      docker: config.deploy.docker,
      compose: config.deploy.compose,
    },
    settings,
    environment: environmentOf(settings, publishedSchema().schema),
    source: { text, configHash: hashOfConfig(config) },
  };
}

function buildDatabase({ database: { driver, url } }: Config, standardFile: string): DatabaseModel {
  const server = isPostgresUrl(url) ? url : null;
  return {
    driver: driver ?? (server === null ? null : "postgres"),
    url: server,
    file: DATABASE_FILE.exec(url ?? "")?.[1] ?? standardFile,
  };
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
