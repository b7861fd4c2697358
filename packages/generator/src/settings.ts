/**
 * Settings: the operational part of the config, which a running service reads from `configs/app.yaml` and the
 * environment. The keys are the config's own, so app.yaml fits the same schema; what shapes code (stages, entities,
 * whether sagas exist) is not here. A variable's name is its key path in upper snake case.
 */
import type { DatabaseModel, EnvironmentVariable, SettingsTree } from "./model.js";
import { namesOf } from "./naming.js";
import type { Schema } from "./spec/keywords.js";
import { durationText, sizeText } from "./spec/quantity.js";
import type { Config } from "./spec/schema.js";

/** Blocks of the config that app.yaml has; verify judges it by their schemas. */
export const SETTINGS_BLOCKS = ["http", "database", "redis", "nats", "services", "session", "observability"] as const;

export interface SettingsInput {
  readonly config: Config;
  readonly database: DatabaseModel;
  /** Transport, url and headers of every service the model has. */
  readonly services: readonly {
    readonly name: string;
    readonly transport: string;
    readonly url: string | null;
    readonly headers: Readonly<Record<string, string>>;
  }[];
}

type Leaf = string | number | boolean;
type Tree = { [key: string]: Tree | Leaf };

const given = (entries: Record<string, Tree | Leaf | undefined>): Tree =>
  Object.fromEntries(Object.entries(entries).filter((entry): entry is [string, Tree | Leaf] => entry[1] !== undefined));

export function buildSettings({ config, database, services }: SettingsInput): SettingsTree {
  const { http, redis, nats, session, observability } = config;
  const { saga, context, checkpoint, recovery, retention, cookie, rotation, limits } = session;
  const interval = checkpoint.interval === undefined ? undefined : durationText(checkpoint.interval);
  return {
    http: given({
      port: http.port,
      host: http.host,
      body_limit: sizeText(http.body_limit),
      trust_proxy: http.trust_proxy,
      auth: http.auth,
    }),
    database: given({
      driver: config.database.driver,
      // A server's url may hold a password: where the config does not write it, the environment does.
      url: database.driver === "postgres" ? (database.url ?? undefined) : `file:${database.file}`,
      pool: config.database.pool,
    }),
    ...(redis.url === undefined ? {} : { redis: { url: redis.url } }),
    ...(nats.url === undefined ? {} : { nats: { url: nats.url } }),
    ...(services.length === 0 ? {} : { services: serviceSettings(services) }),
    session: {
      ...(saga.enabled ? { saga: { orchestration: saga.orchestration, timeout: durationText(saga.timeout) } } : {}),
      context: {
        storage: context.storage,
        ttl: durationText(context.ttl),
        absolute_ttl: durationText(context.absolute_ttl),
        prefix: context.prefix,
        encryption: { enabled: context.encryption.enabled },
      },
      checkpoint: given({
        enabled: checkpoint.enabled,
        strategy: checkpoint.strategy,
        interval: checkpoint.strategy === "time" || checkpoint.strategy === "count" ? (interval ?? 30) : undefined,
        max_retries: checkpoint.max_retries,
        keep: checkpoint.keep,
      }),
      recovery: {
        enabled: recovery.enabled,
        strategy: recovery.strategy,
        max_attempts: recovery.max_attempts,
        backoff: recovery.backoff,
        initial_delay: durationText(recovery.initial_delay),
        max_delay: durationText(recovery.max_delay),
        jitter: recovery.jitter,
        lease: durationText(recovery.lease),
        max_crashes: recovery.max_crashes,
      },
      retention: { enabled: retention.enabled, ended: durationText(retention.ended) },
      cookie: { name: cookie.name, same_site: cookie.same_site },
      rotation: given({
        period: rotation.period === undefined ? undefined : durationText(rotation.period),
        grace_period: durationText(rotation.grace_period),
      }),
      limits: given({ per_subject: limits.per_subject, policy: limits.policy }),
    },
    observability: { log_level: observability.log_level, metrics: observability.metrics },
  };
}

const serviceSettings = (services: SettingsInput["services"]): Tree =>
  Object.fromEntries(
    services.map(({ name, transport, url, headers }) => [
      name,
      given({
        transport,
        url: url ?? undefined,
        headers: Object.keys(headers).length === 0 ? undefined : { ...headers },
      }),
    ]),
  );

/** Settings that may be given though the config wrote none. */
const UNWRITTEN: readonly (readonly string[])[] = [
  ["http", "auth"],
  ["database", "driver"],
  ["database", "url"],
  ["database", "pool"],
  ["redis", "url"],
  ["nats", "url"],
  ["session", "rotation", "period"],
  ["session", "limits", "per_subject"],
];

const BESIDE_THE_FILE: readonly EnvironmentVariable[] = [
  { name: "NODE_ENV", path: null, default: null, description: "`production` refuses what is only for development." },
  { name: "PORT", path: null, default: null, description: "Stands in for HTTP_PORT." },
  {
    name: "OPERATOR_TOKEN",
    path: null,
    default: null,
    description: "Token of operator calls. Printed at start outside production, required in production.",
  },
  {
    name: "SESSION_ENCRYPTION_KEYS",
    path: null,
    default: null,
    description:
      "Keys of session.context.encryption: <id>:<32 bytes in base64url>, with commas between them. The first encrypts, all decrypt.",
  },
];

/** Every variable the service reads, in the order of app.yaml, then those that have no place in it. */
export function environmentOf(settings: SettingsTree, schema: Schema): EnvironmentVariable[] {
  const variables: EnvironmentVariable[] = [];
  const walk = (tree: SettingsTree, path: readonly string[]): void => {
    for (const [key, value] of Object.entries(tree)) {
      const at = [...path, key];
      if (typeof value === "object") walk(value, at);
      else variables.push(variableOf(at, String(value), schema));
    }
    const services = path.length === 1 && path[0] === "services" ? Object.keys(tree) : [];
    for (const name of services) {
      const at = [...path, name, "url"];
      if (!variables.some((variable) => variable.name === variableName(at)))
        variables.push(variableOf(at, null, schema));
    }
  };
  walk(settings, []);
  const missing = UNWRITTEN.filter((path) => !variables.some(({ name }) => name === variableName(path)));
  return [...variables, ...missing.map((path) => variableOf(path, null, schema)), ...BESIDE_THE_FILE];
}

const variableName = (path: readonly string[]): string => path.map((part) => namesOf(part).constant).join("_");

const variableOf = (path: readonly string[], value: string | null, schema: Schema): EnvironmentVariable => ({
  name: variableName(path),
  path,
  default: value,
  description: descriptionOf(path, schema),
});

function descriptionOf(path: readonly string[], schema: Schema): string {
  let at: Schema | undefined = schema;
  for (const key of path) at = at?.properties?.[key] ?? (at?.additionalProperties || undefined);
  return at?.description ?? "";
}
