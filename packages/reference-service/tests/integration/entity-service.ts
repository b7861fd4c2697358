/** The entities over HTTP with a database of their own: what one test needs, and nothing else of the service. */
import { fileURLToPath } from "node:url";
import fastify from "fastify";
import { type Repositories, type UseCases, useCasesFrom } from "../../src/application/use-cases/use-cases.generated.js";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import type { OpenedDatabase } from "../../src/infrastructure/persistence/database.js";
import { openDatabase } from "../../src/infrastructure/persistence/database.js";
import { prepareDatabase } from "../../src/infrastructure/persistence/prepare.js";
import { repositoriesOn } from "../../src/infrastructure/persistence/repositories.js";
import { createUuidV7 } from "../../src/infrastructure/persistence/uuid-v7.js";
import { registerEntities } from "../../src/interfaces/http/entities.generated.js";
import { readJsonBodies } from "../../src/interfaces/http/json-body.js";
import { problemOf, sendProblem } from "../../src/interfaces/http/problem.js";
import { validateRequests } from "../../src/interfaces/http/validation.js";
import { newTestDatabase } from "./test-database.js";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** `{}` when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface EntityService {
  readonly database: OpenedDatabase;
  readonly repositories: Repositories;
  readonly useCases: UseCases;
  /** A body that is a string is sent as it is. */
  call(method: Method, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The id of the new one. Throws unless it was created. */
  create(path: string, body: unknown): Promise<string>;
  close(): Promise<void>;
}

/** `file`: an SQLite file to keep them in, when a second connection to it is needed. */
export async function startEntityService(file?: string): Promise<EntityService> {
  const clock = { now: () => Date.now() };
  const own = file === undefined ? await newTestDatabase("schema") : null;
  const chosen =
    own === null
      ? ({ driver: "sqlite", file: file ?? ":memory:" } as const)
      : ({ driver: "postgres", url: own.url, pool: 2 } as const);
  const database = await openDatabase({ name: "test", database: chosen }, createLogger("test", "silent"));
  const migrationsFolder = fileURLToPath(new URL("../../migrations", import.meta.url));
  await prepareDatabase(database.migrated, { migrationsFolder, production: false, now: clock.now });
  const repositories = repositoriesOn(database.opened);
  const useCases = useCasesFrom(repositories, { clock, newId: createUuidV7(clock) });

  const app = fastify();
  readJsonBodies(app);
  validateRequests(app);
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, problemOf(error)));
  registerEntities(app, { useCases }, { callers: { requireCaller: async () => undefined } });
  await app.ready();

  async function call(method: Method, url: string, body?: unknown, headers = {}): Promise<Answer> {
    const payload = typeof body === "string" ? body : JSON.stringify(body);
    const type = { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" };
    const sent = payload === undefined ? { headers } : { payload, headers: { ...type, ...headers } };
    const answer = await app.inject({ method, url, ...sent });
    return { status: answer.statusCode, headers: answer.headers, body: answer.payload === "" ? {} : answer.json() };
  }

  return {
    database: database.opened,
    repositories,
    useCases,
    call,
    async create(path, body) {
      const created = await call("POST", path, body);
      if (created.status !== 201) throw new Error(`POST ${path}: ${JSON.stringify(created.body)}`);
      return String(created.body.id);
    },
    async close() {
      await app.close();
      await database.close();
      await own?.remove();
    },
  };
}
