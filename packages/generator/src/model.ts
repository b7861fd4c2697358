/**
 * The model: every decision the config leads to, made once, as one plain readonly object. Targets read it and never the
 * config; they decide nothing but the text of their files.
 *
 * Conventions: durations in milliseconds, sizes in bytes, names in every case (`Names`), lists in the config's order,
 * `null` for "not written and no default". A name in a `Names` is a checked identifier; every other string (descriptions,
 * defaults, enum values, patterns, headers) is what a stranger typed: emit it with `literal()` (emit.ts) only.
 */
import type { JsonValue } from "./json-value.js";
import type { Names } from "./naming.js";
import type { RetryPolicy } from "./retry-policy.js";
import type { BatchModel, SagaModel } from "./task-model.js";

export type { JsonValue } from "./json-value.js";
export type { RetryPolicy } from "./retry-policy.js";

export interface Model {
  readonly project: ProjectModel;
  readonly http: HttpModel;
  readonly database: DatabaseModel;
  /** Without a password; null: the environment gives it. Several nodes have commas between them. */
  readonly redisUrl: string | null;
  readonly natsUrl: string | null;
  readonly session: SessionModel;
  /** Declared ones in the config's order, then the undeclared ones stages name, in order of first use. */
  readonly services: readonly ServiceModel[];
  /** Ordered so that an entity stands after those it references with a required field. */
  readonly entities: readonly EntityModel[];
  /** Workflow tasks. Empty when `session.saga.enabled` or `long_running.enabled` is false. */
  readonly sagas: readonly SagaModel[];
  /** Batch tasks. Empty when `session.saga.enabled` or `long_running.enabled` is false. */
  readonly batches: readonly BatchModel[];
  readonly events: EventsModel;
  readonly observability: { readonly logLevel: LogLevel; readonly metrics: boolean };
  readonly features: Features;
  /** What `configs/app.yaml` holds, as written there; see settings.ts. */
  readonly settings: SettingsTree;
  /** One entry for each leaf of `settings`, and the secrets that have no leaf; what `.env.example` lists. */
  readonly environment: readonly EnvironmentVariable[];
  readonly source: SourceModel;
}

/** Whole files and routes exist, or do not, by these. */
export interface Features {
  /** `session.saga.enabled`: run routes, saga routes, worker. */
  readonly sagas: boolean;
  readonly checkpoints: boolean;
  readonly recovery: boolean;
  /** `long_running.enabled`: task routes. */
  readonly longRunning: boolean;
  readonly batches: boolean;
  /** A task has a schedule. */
  readonly schedules: boolean;
  /** A task names a queue, or bounds its runs. */
  readonly queues: boolean;
  /** A batch goes through the records of an entity. */
  readonly entitySources: boolean;
  /** At least one entity. */
  readonly entities: boolean;
  /** Changes of entities are told, or events are handled: outbox, relay, parked events. */
  readonly events: boolean;
  readonly publishing: boolean;
  readonly consuming: boolean;
  /** There are events to describe: domain events, or those of stages. */
  readonly asyncapi: boolean;
  /** At least one service of that transport. */
  readonly localHandlers: boolean;
  readonly simulated: boolean;
  readonly httpParticipants: boolean;
  readonly natsParticipants: boolean;
  readonly metrics: boolean;
  readonly docker: boolean;
  readonly compose: boolean;
}

export interface ProjectModel {
  /** `kebab` is the npm name, the folder and the database file. */
  readonly name: Names;
  readonly version: string;
  /** Any text, "" by default. */
  readonly description: string;
  /** "UNLICENSED" by default. */
  readonly license: string;
  readonly author: string | null;
  readonly packageManager: "npm";
}

export interface HttpModel {
  readonly port: number;
  readonly host: string;
  readonly bodyLimitBytes: number;
  /** Null: not written; `none` outside production, and production refuses to start. */
  readonly auth: "none" | "session" | "token" | null;
}

export interface DatabaseModel {
  /** As the driver or the url of the config says; null: sqlite outside production, postgres in production, unless DATABASE_URL says otherwise. */
  readonly driver: "sqlite" | "postgres" | null;
  /** Of the PostgreSQL server, without a password; null: the environment gives it. */
  readonly url: string | null;
  /** Path inside the project, `data/<name>.db` unless the config names another; from the root if it begins with `/`. */
  readonly file: string;
}

export interface SessionModel {
  readonly saga: {
    readonly enabled: boolean;
    readonly orchestration: "orchestration" | "choreography";
    /** A run's timeout unless its task has one. */
    readonly timeoutMs: number;
  };
  readonly context: {
    /** `redis` is stood in for by sqlite outside production when no redis url is set. */
    readonly storage: "redis" | "sqlite" | "memory";
    readonly ttlMs: number;
    readonly absoluteTtlMs: number;
    readonly prefix: string;
    readonly encrypted: boolean;
  };
  readonly checkpoint: {
    readonly enabled: boolean;
    readonly strategy: "time" | "step" | "count" | "manual";
    /** Set for `time` only. */
    readonly intervalMs: number | null;
    /** Set for `count` only: completed steps between two snapshots. */
    readonly everySteps: number | null;
    /** Attempts to write one snapshot after the first failed. */
    readonly maxRetries: number;
    /** Snapshots kept per run. */
    readonly keep: number;
  };
  readonly recovery: {
    /** False: one attempt, then `failed`. */
    readonly enabled: boolean;
    readonly strategy: "compensate" | "retry" | "manual";
    readonly retry: RetryPolicy;
    readonly leaseMs: number;
    readonly maxCrashes: number;
  };
  readonly retention: {
    /** Null: runs are kept for ever. */
    readonly endedMs: number | null;
  };
}

export interface ServiceModel {
  readonly name: Names;
  readonly transport: "http" | "nats" | "local" | "simulated";
  /** Set for `http` and `nats`; null there when only the environment gives it. No trailing slash. */
  readonly url: string | null;
  /** False: no `services:` block has it, a stage names it. */
  readonly declared: boolean;
  /** False: no stage and no compensation calls it. */
  readonly used: boolean;
  /** Per attempt; null: 30 s. Already resolved into every stage. */
  readonly timeoutMs: number | null;
  /** Null when the service writes none. Already resolved into every stage. */
  readonly retry: RetryPolicy | null;
  readonly headers: readonly HeaderModel[];
  /** Files under `src/application/handlers/<service kebab>/`; empty unless `local`. */
  readonly handlers: readonly HandlerModel[];
}

export interface HeaderModel {
  readonly name: string;
  /** As written; `${NAME}` stands for an environment variable. */
  readonly value: string;
  /** The variables the value names. */
  readonly variables: readonly string[];
}

/** One function a `local` service offers; several stages may call it. */
export interface HandlerModel {
  /** With one leading slash: `/validate`. */
  readonly endpoint: string;
  /** `name.kebab` is the file, `name.camel` the function. */
  readonly name: Names;
  readonly kind: "action" | "compensation";
  /** Raw names of the stages that call it, for its comment. */
  readonly stages: readonly string[];
}

export interface EntityModel {
  /** `pascal` is the type, `kebab` the file. */
  readonly name: Names;
  /** `kebab` is the path below `/api/v1/`, `snake` the table. */
  readonly plural: Names;
  /** Declared ones only; `id`, `revision`, `created_at`, `updated_at` exist beside them. */
  readonly fields: readonly FieldModel[];
  readonly indexes: readonly IndexModel[];
  readonly useCases: readonly UseCase[];
}

export type UseCase = "create" | "get" | "list" | "update" | "delete";

export type FieldType =
  | "string"
  | "text"
  | "integer"
  | "bigint"
  | "decimal"
  | "boolean"
  | "uuid"
  | "date"
  | "timestamp"
  | "json"
  | "enum"
  | "reference";

export interface FieldModel {
  /** `snake` is the column and the HTTP key, `camel` the property. */
  readonly name: Names;
  readonly type: FieldType;
  readonly required: boolean;
  readonly unique: boolean;
  /** Undefined when none is written (null is a default a `json` field may have). bigint and decimal: a string. */
  readonly default: JsonValue | undefined;
  /** integer: number. bigint and decimal: a string of digits. Null: unbounded. */
  readonly min: number | string | null;
  readonly max: number | string | null;
  readonly minLength: number | null;
  readonly maxLength: number | null;
  /** A regular expression that compiles under the `u` flag; it matches anywhere unless anchored. */
  readonly pattern: string | null;
  /** Set for `enum` only, at least one. */
  readonly values: readonly string[];
  /** Set for `reference` only. */
  readonly reference: { readonly entity: Names; readonly onDelete: "restrict" | "cascade" | "set_null" } | null;
}

export interface IndexModel {
  /** `idx_<table>_<columns>`, unique over the model. */
  readonly name: string;
  /** Columns. */
  readonly fields: readonly string[];
  readonly unique: boolean;
}

export interface EventsModel {
  /** In the config's order, each entity once. */
  readonly published: readonly PublishedModel[];
  /** In the order of first use, each handler once. */
  readonly handlers: readonly EventHandlerModel[];
}

export interface PublishedModel {
  readonly entity: EntityModel;
  /** `created`, `updated`, `deleted`, in this order. */
  readonly changes: readonly Change[];
}

export type Change = "created" | "updated" | "deleted";

export interface EventHandlerModel {
  /** `kebab` is the file, `camel` the function. */
  readonly name: Names;
  /** Those who share its events: `<project>-<handler>`, at most 64 characters, of which the last are a hash where it was longer. */
  readonly group: string;
  /** Project whose events they are, in kebab-case; null: this one's own. */
  readonly from: string | null;
  readonly subjects: readonly string[];
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

/** Nested settings; a leaf is what one environment variable overrides. */
export interface SettingsTree {
  readonly [key: string]: SettingsTree | string | number | boolean;
}

export interface EnvironmentVariable {
  /** The key path in upper snake case: `SESSION_CONTEXT_TTL`. */
  readonly name: string;
  /** Its key path in `configs/app.yaml`, also when the file does not write it; null: it has no place there (secrets). */
  readonly path: readonly string[] | null;
  /** As `configs/app.yaml` writes it; null: not written. */
  readonly default: string | null;
  /** One line. */
  readonly description: string;
}

export interface SourceModel {
  /** The config file as given. */
  readonly text: string;
  /** sha256 (hex) over the normalized config in canonical JSON. */
  readonly configHash: string;
}
