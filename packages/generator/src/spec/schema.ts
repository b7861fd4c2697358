/**
 * The config file, described once. This schema is the published JSON Schema (`clean-arch-generator schema`), the static
 * type of a validated config, the defaults, and the descriptions editors show. Whether a version has a key's feature is
 * availability.ts; rules between keys are check.ts.
 */
import type { Static } from "typebox";
import type { Schema } from "./keywords.js";
import {
  block,
  choice,
  duration,
  flag,
  identifier,
  integer,
  json,
  list,
  named,
  numeric,
  optional,
  section,
  size,
  text,
} from "./keywords.js";
import { session } from "./session-schema.js";
import { retry, task } from "./task-schema.js";

const url = (description: string) => text(description, { minLength: 1 });

// Semantic versioning, as far as npm counts.
const NUMBER = "(0|[1-9][0-9]{0,14})";
const LABEL = "(0|[1-9][0-9]{0,14}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";

const project = section("The project itself.", {
  name: optional(
    text("Name of the service, written in kebab-case everywhere. Default: the name of the output folder.", {
      pattern: "^[A-Za-z][A-Za-z0-9_-]*$",
      minLength: 1,
      maxLength: 64,
    }),
  ),
  version: text("Version of the service.", {
    pattern: `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(-${LABEL}(\\.${LABEL})*)?$`,
    maxLength: 64,
    default: "0.1.0",
  }),
  description: text("What the service is for.", { default: "" }),
  license: text("SPDX expression of the license.", { maxLength: 100, default: "UNLICENSED" }),
  author: optional(text("Who wrote the service.", { maxLength: 200 })),
  package_manager: choice("Package manager of the project.", ["npm", "pnpm", "yarn"], "npm"),
});

const http = section("The service's own HTTP interface.", {
  port: integer("Port to listen on.", 1, 65_535, 8080),
  host: text("Address to listen on.", {
    pattern: "^[A-Za-z0-9._:-]+$",
    minLength: 1,
    maxLength: 255,
    default: "0.0.0.0",
  }),
  cors: optional(json("Origins that may call from a browser.")),
  body_limit: size("Largest request body.", "1MiB"),
  trust_proxy: integer(
    "Proxies between the clients and the service, whose X-Forwarded-For is believed: a client's address is in logs, and is what guessing counts against.",
    0,
    10,
    0,
  ),
  rate_limit: optional(
    block("Requests a caller may make.", {
      max: integer("Requests in one window.", 1, 1_000_000, 100),
      window: duration("Length of the window.", "1m"),
    }),
  ),
  auth: optional(
    choice("Who may start and read runs. Default: none outside production; production needs it written.", [
      "none",
      "session",
      "token",
    ]),
  ),
});

const database = section("Journal, checkpoints and the service's own tables.", {
  driver: optional(
    choice("Default: as the url says; without a postgresql url sqlite outside production, postgres in production.", [
      "sqlite",
      "postgres",
    ]),
  ),
  url: optional(
    url(
      "file:data/service.db for sqlite, postgresql://user@host:port/database for postgres; with a password in the environment only.",
    ),
  ),
  pool: optional(
    integer("PostgreSQL connections of an instance for its own tables (10); its runs use up to 14 more.", 1, 1000),
  ),
});

const field = block("One field of an entity.", {
  name: identifier("Name of the field."),
  type: choice("Kind of value.", [
    "string",
    "text",
    "integer",
    "bigint",
    "decimal",
    "boolean",
    "uuid",
    "date",
    "timestamp",
    "json",
    "enum",
    "reference",
  ]),
  required: flag("Whether a value must be given.", false),
  unique: flag("Whether no two records share a value.", false),
  default: optional(json("Value when none is given.")),
  min: optional(numeric("Smallest value (integer, bigint, decimal).")),
  max: optional(numeric("Largest value (integer, bigint, decimal).")),
  min_length: optional(integer("Fewest characters (string, text).", 0, 1_000_000)),
  max_length: optional(integer("Most characters (string, text).", 1, 1_000_000)),
  pattern: optional(text("Regular expression the value matches (string, text).", { minLength: 1, maxLength: 500 })),
  values: optional(
    list("Values of an enum.", text("One value.", { minLength: 1, maxLength: 64 }), {
      minItems: 1,
      maxItems: 200,
      uniqueItems: true,
    }),
  ),
  entity: optional(identifier("Entity a reference points to.")),
  on_delete: optional(
    choice("What happens when the referenced record is deleted. Default: restrict.", [
      "restrict",
      "cascade",
      "set_null",
    ]),
  ),
});

const entity = block("One entity: table, type, use cases and routes.", {
  name: identifier("Name of the entity, singular."),
  fields: list("Fields; id, revision, created_at and updated_at are there already.", field, {
    minItems: 1,
    maxItems: 200,
  }),
  indexes: list(
    "Indexes.",
    block("One index.", {
      fields: list("Fields of the index, in order.", identifier("A field."), { minItems: 1, maxItems: 16 }),
      unique: flag("Whether no two records share the values.", false),
    }),
    { maxItems: 50, default: [] },
  ),
  use_cases: optional(
    list(
      "Use cases the entity has. Default: all.",
      choice("A use case.", ["create", "get", "list", "update", "delete"]),
      {
        minItems: 1,
        maxItems: 5,
        uniqueItems: true,
      },
    ),
  ),
});

const service = block("One participant.", {
  url: optional(url("Base url, http or https; with transport nats its server, default `nats.url`.")),
  transport: optional(
    choice(
      "How it is reached: nats is calls over JetStream. Default: http with a url, else simulated (refused in production).",
      ["http", "nats", "local", "simulated"],
    ),
  ),
  timeout: optional(duration("Time for one attempt. Default: 30s.")),
  retry: optional(retry),
  headers: optional(
    named("Headers of every call; a value may name the environment as ${NAME}.", text("Value of the header."), {
      propertyNames: { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", maxLength: 100 },
      maxProperties: 50,
    }),
  ),
  generate: optional(flag("Whether this service is emitted too, as a project of the fleet.")),
});

const events = block("Events that the service tells others of, and those of others that it handles.", {
  publish: optional(
    list(
      "Changes of entities that are told as CloudEvents: <entity>.created, <entity>.updated, <entity>.deleted.",
      text("Entity in snake_case and what happened: order.created.", { maxLength: 100 }),
      { maxItems: 300, uniqueItems: true },
    ),
  ),
  consume: optional(
    list(
      "What the service handles.",
      block("One subscription.", {
        subject: text("Type of the events; * for one word, > for the rest.", { minLength: 1, maxLength: 200 }),
        handler: identifier("Function that handles them: src/application/event-handlers/<handler>.ts."),
        from: optional(
          text("Service that publishes them, by its project name, over NATS. Default: this service.", {
            pattern: "^[A-Za-z][A-Za-z0-9_-]*$",
            minLength: 1,
            maxLength: 64,
          }),
        ),
      }),
      { maxItems: 200 },
    ),
  ),
});

const observability = section("What the service tells about itself.", {
  tracing: optional(url("OTLP endpoint.")),
  metrics: flag("Whether /metrics is there.", true),
  log_level: choice("Least severe level that is logged.", ["trace", "debug", "info", "warn", "error"], "info"),
});

const deploy = section("What surrounds the service.", {
  replicas: optional(integer("Containers of the service.", 1, 1000)),
  docker: flag("Whether a Dockerfile is written.", true),
  compose: flag("Whether docker-compose.yml is written.", true),
  kubernetes: optional(flag("Whether Kubernetes manifests are written.")),
});

export const configSchema = block("A service with durable sessions, sagas and long-running tasks.", {
  project,
  http,
  database,
  redis: section("Where sessions and contexts live with session.context.storage redis.", {
    url: optional(
      url(
        "redis://user@host:port/0, or rediss: for TLS; the nodes of a Redis Cluster with commas between them. A password in the environment only.",
      ),
    ),
  }),
  nats: section("NATS with JetStream.", { url: optional(url("nats://host:port; production.")) }),
  domain: section("What the service is about.", {
    entities: list("Entities.", entity, { maxItems: 100, default: [] }),
  }),
  services: optional(named("Participants by name. Without this block, undeclared ones are simulated.", service)),
  session,
  long_running: section("Tasks.", {
    enabled: flag("False: none of its code and routes.", true),
    tasks: list("Definitions.", task, { maxItems: 200, default: [] }),
  }),
  events: optional(events),
  observability,
  deploy,
});

/** A validated config: durations in milliseconds, sizes in bytes, defaults filled in. */
export type Config = Static<typeof configSchema>;

export type TaskConfig = Config["long_running"]["tasks"][number];
export type StageConfig = TaskConfig["stages"][number];
export type CompensationConfig = TaskConfig["compensation"][number];
export type EntityConfig = Config["domain"]["entities"][number];
export type FieldConfig = EntityConfig["fields"][number];
export type ServiceConfig = NonNullable<Config["services"]>[string];
export type RetryConfig = NonNullable<ServiceConfig["retry"]>;

/** The document published as `schema/clean-arch.schema.json`. */
export const schemaDocument = {
  // Every keyword here means the same in draft 2020-12, which editors of YAML do not all know yet.
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "clean-arch config",
  ...(configSchema as Schema),
};
