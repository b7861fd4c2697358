/**
 * The whole service over real HTTP, on a free port, with a database of its own in a temporary folder. Services that the
 * settings reach by url are simulated, so that no test leaves this process.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { simulatedParticipant } from "@clean-arch/runtime";
import { createMemoryLedger } from "@clean-arch/runtime/memory";
import { loadSettings } from "../../src/infrastructure/config/load.js";
import { SERVICES } from "../../src/infrastructure/config/project.generated.js";
import { variableOf } from "../../src/infrastructure/config/read.js";
import type { Settings } from "../../src/infrastructure/config/settings.js";
import type { Bindings } from "../../src/infrastructure/container/container.generated.js";
import { buildContainer, type Container } from "../../src/infrastructure/container/container.js";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import { newTestDatabase } from "./test-database.js";
import { newTestRedis } from "./test-redis.js";

const PROJECT_FOLDER = fileURLToPath(new URL("../../", import.meta.url));
const OPERATOR_TOKEN = "operator-token-of-the-tests";
export const asOperator = { authorization: `Bearer ${OPERATOR_TOKEN}` };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined when there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came back.
  readonly body: any;
}

export interface TestService {
  readonly url: string;
  readonly settings: Settings;
  readonly container: Container;
  /** A body that is a string is sent as it is, any other as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The id of the new one. Throws unless it was created. */
  create(path: string, body: unknown): Promise<string>;
  close(): Promise<void>;
}

/** `environment` overrides the settings, `change` what was made of them. */
export async function startService(
  environment: Record<string, string> = {},
  change: (settings: Settings) => Settings = (settings) => settings,
): Promise<TestService> {
  const folder = mkdtempSync(join(tmpdir(), "service-"));
  const database = await newTestDatabase("database");
  const redis = newTestRedis();
  const remove = async (): Promise<void> => {
    rmSync(folder, { recursive: true, force: true });
    await database?.remove();
    await redis?.remove();
  };
  const loaded = loadSettings(PROJECT_FOLDER, {
    ...headerVariables(),
    ...urlVariables(),
    DATABASE_DRIVER: database === null ? "sqlite" : "postgres",
    DATABASE_URL: database?.url ?? join(folder, "test.db"),
    OPERATOR_TOKEN,
    HTTP_AUTH: "none",
    HTTP_BODY_LIMIT: "1MiB",
    HTTP_TRUST_PROXY: "0",
    OBSERVABILITY_METRICS: "true",
    ...sessionVariables(redis),
    ...environment,
  });
  // Sessions are in a file, also when all else is on a server; events go through the database.
  const app = { ...loaded.app, nats: { url: null } };
  const settings = change({ ...loaded, app, databaseFile: join(folder, "test.db") });
  const building = buildContainer(settings, createLogger(settings.name, "silent"), simulated(settings));
  building.catch(remove);
  const container = await building;
  const url = await container.server.listen({ port: 0, host: "127.0.0.1" });
  return {
    url,
    settings,
    container,
    call: (method, path, body, headers) => call(`${url}${path}`, method, body, headers),
    async create(path, body) {
      const created = await call(`${url}${path}`, "POST", body);
      if (created.status !== 201) throw new Error(`POST ${path}: ${JSON.stringify(created.body)}`);
      return String(created.body.id);
    },
    async close() {
      await container.close();
      await remove();
    },
  };
}

async function call(url: string, method: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const payload = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const type: Record<string, string> = payload === undefined ? {} : { "content-type": "application/json" };
  const answer = await fetch(url, {
    method,
    headers: { ...type, ...headers },
    ...(payload === undefined ? {} : { body: payload }),
  });
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get("content-type") ?? "");
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === "" ? undefined : isJson ? JSON.parse(text) : text,
  };
}

function simulated({ services }: Settings): Bindings {
  const ledger = createMemoryLedger({});
  const remote = services.filter(({ transport }) => transport === "http");
  const participants = Object.fromEntries(remote.map(({ name }) => [name, simulatedParticipant({ name, ledger })]));
  return { participants } as Bindings;
}

/** Tests begin as many sessions as they like, and none of their tokens is exchanged behind their back. */
function sessionVariables(redis: ReturnType<typeof newTestRedis>): Record<string, string> {
  const place =
    redis === null
      ? { SESSION_CONTEXT_STORAGE: "sqlite" }
      : {
          SESSION_CONTEXT_STORAGE: "redis",
          REDIS_URL: redis.url,
          SESSION_CONTEXT_PREFIX: redis.prefix,
          SESSION_CONTEXT_ENCRYPTION_ENABLED: "true",
        };
  return {
    ...place,
    SESSION_COOKIE_NAME: "session",
    SESSION_COOKIE_SAME_SITE: "lax",
    SESSION_ROTATION_PERIOD: "8760h",
    SESSION_ROTATION_GRACE_PERIOD: "30s",
    SESSION_LIMITS_PER_SUBJECT: "10000",
    SESSION_ENCRYPTION_KEYS: `test:${"k".repeat(43)}`,
  };
}

/** Services that only a deployment has a url of; they are simulated like the others. */
function urlVariables(): Record<string, string> {
  const remote = SERVICES.filter(({ transport }) => transport === "http");
  return Object.fromEntries(remote.map(({ name }) => [variableOf(["services", name, "url"]), "http://127.0.0.1:9"]));
}

/** Headers of services may name variables that only a deployment has. */
function headerVariables(): Record<string, string> {
  const text = readFileSync(join(PROJECT_FOLDER, "configs/app.yaml"), "utf8");
  return Object.fromEntries(
    [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map((match) => [match[1] ?? "", "test"]),
  );
}
