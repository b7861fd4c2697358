/**
 * The keys of configs/app.yaml, with their defaults. Each leaf can be overridden by an environment variable named like
 * its path (`SESSION_CONTEXT_TTL`). `kind` says how a leaf is read; the type is what the service gets.
 */
import Type from "typebox";
import { SERVICES } from "./project.generated.js";

export type LeafKind = "integer" | "duration" | "size" | "flag" | "text" | "choice" | "url" | "headers";

/** A leaf as the reader sees it; `default: null` means that it may be absent. */
export interface Leaf {
  readonly kind: LeafKind;
  readonly default: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly values?: readonly string[];
  readonly protocols?: readonly string[];
}

const leaf = <Value>(schema: Leaf) => Type.Unsafe<Value>({ ...schema });
const integer = (initial: number, minimum: number, maximum: number) =>
  leaf<number>({ kind: "integer", default: initial, minimum, maximum });
const duration = (initialMs: number, minimum = 1) => leaf<number>({ kind: "duration", default: initialMs, minimum });
const optionalInteger = (minimum: number, maximum: number) =>
  leaf<number | null>({ kind: "integer", default: null, minimum, maximum });
const optionalDuration = () => leaf<number | null>({ kind: "duration", default: null, minimum: 1 });
const size = (initial: number) => leaf<number>({ kind: "size", default: initial, minimum: 1, maximum: 1_073_741_824 });
const flag = (initial: boolean) => leaf<boolean>({ kind: "flag", default: initial });
const text = (initial: string) => leaf<string>({ kind: "text", default: initial });
const choice = <const Values extends readonly string[]>(values: Values, initial: Values[number]) =>
  leaf<Values[number]>({ kind: "choice", values, default: initial });
const optionalChoice = <const Values extends readonly string[]>(values: Values) =>
  leaf<Values[number] | null>({ kind: "choice", values, default: null });
const optionalUrl = (...protocols: string[]) => leaf<string | null>({ kind: "url", protocols, default: null });
const optionalText = () => leaf<string | null>({ kind: "text", default: null });

const headers = () => leaf<Readonly<Record<string, string>>>({ kind: "headers", default: {} });

interface ServiceSettings {
  readonly transport: "http" | "nats" | "local" | "simulated";
  readonly url: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

const services = Type.Unsafe<Readonly<Record<string, ServiceSettings>>>(
  Type.Object(
    Object.fromEntries(
      SERVICES.map(({ name, transport }) => {
        const service = {
          // Handlers are there or not: what is local cannot become simulated, nor the other way round.
          transport: choice(transport === "local" ? ["local", "http"] : ["simulated", "http", "nats"], transport),
          url: optionalUrl("http:", "https:", ...(transport === "local" ? [] : ["nats:", "tls:"])),
          headers: headers(),
        };
        return [name, Type.Object(service)];
      }),
    ),
  ),
);

export const SettingsSchema = Type.Object({
  http: Type.Object({
    port: integer(8080, 0, 65_535),
    host: text("0.0.0.0"),
    body_limit: size(1_048_576),
    trust_proxy: integer(0, 0, 10),
    auth: optionalChoice(["none", "session", "token"]),
  }),
  database: Type.Object({
    driver: optionalChoice(["sqlite", "postgres"]),
    // A file, or a server; which of them fits depends on the driver (config/database.ts).
    url: optionalText(),
    pool: integer(10, 1, 1_000),
  }),
  // One server, or several nodes of a cluster (config/session-storage.ts).
  redis: Type.Object({ url: optionalText() }),
  nats: Type.Object({ url: optionalUrl("nats:", "tls:") }),
  services,
  session: Type.Object({
    saga: Type.Object({
      enabled: flag(true),
      orchestration: choice(["orchestration", "choreography"], "orchestration"),
      timeout: duration(300_000),
    }),
    context: Type.Object({
      storage: choice(["redis", "sqlite", "memory", "postgres"], "redis"),
      ttl: duration(3_600_000),
      absolute_ttl: duration(86_400_000),
      prefix: text("session:"),
      encryption: Type.Object({ enabled: flag(false) }),
    }),
    checkpoint: Type.Object({
      enabled: flag(true),
      strategy: choice(["time", "step", "count", "manual"], "time"),
      // A duration for `time`; for `count` completed steps, read like seconds (infrastructure/session/config.ts).
      interval: duration(30_000),
      max_retries: integer(3, 0, 1_000),
      keep: integer(10, 1, 10_000),
    }),
    recovery: Type.Object({
      enabled: flag(true),
      strategy: choice(["compensate", "retry", "manual"], "compensate"),
      max_attempts: integer(5, 1, 1_000_000),
      backoff: choice(["exponential", "linear", "fixed"], "exponential"),
      initial_delay: duration(1_000),
      max_delay: duration(60_000),
      jitter: choice(["full", "none"], "full"),
      lease: duration(10_000, 1_000),
      max_crashes: integer(3, 1, 1_000),
    }),
    retention: Type.Object({
      enabled: flag(true),
      ended: duration(2_592_000_000),
    }),
    cookie: Type.Object({
      name: text("session"),
      same_site: choice(["strict", "lax", "none"], "lax"),
    }),
    rotation: Type.Object({
      period: optionalDuration(),
      grace_period: duration(30_000),
    }),
    limits: Type.Object({
      per_subject: optionalInteger(1, 10_000),
      policy: choice(["evict_oldest", "deny"], "evict_oldest"),
    }),
  }),
  observability: Type.Object({
    log_level: choice(["trace", "debug", "info", "warn", "error"], "info"),
    metrics: flag(true),
  }),
});

/** Durations in ms, sizes in bytes, names as in the file. */
export type AppSettings = Type.Static<typeof SettingsSchema>;
