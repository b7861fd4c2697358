/** The entities over HTTP with a database of their own in memory: what one test needs, and nothing else of the service. */
import { fileURLToPath } from "node:url";
import fastify from "fastify";
import { type Repositories, type UseCases, useCasesFrom } from "../../src/application/use-cases/use-cases.generated.js";
import { prepareDatabase } from "../../src/infrastructure/persistence/prepare.js";
import { openSqlite, type SqliteDatabase } from "../../src/infrastructure/persistence/sqlite/database.js";
import { createQueries } from "../../src/infrastructure/persistence/sqlite/queries.js";
import { repositoriesIn } from "../../src/infrastructure/persistence/sqlite/repositories.generated.js";
import { createUuidV7 } from "../../src/infrastructure/persistence/uuid-v7.js";
import { registerEntities } from "../../src/interfaces/http/entities.generated.js";
import { readJsonBodies } from "../../src/interfaces/http/json-body.js";
import { problemOf, sendProblem } from "../../src/interfaces/http/problem.js";
import { validateRequests } from "../../src/interfaces/http/validation.js";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** `{}` when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface EntityService {
  readonly database: SqliteDatabase;
  readonly repositories: Repositories;
  readonly useCases: UseCases;
  /** A body that is a string is sent as it is. */
  call(method: Method, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The id of the new one. Throws unless it was created. */
  create(path: string, body: unknown): Promise<string>;
  close(): Promise<void>;
}

/** `file`: where the database is, when a second connection to it is needed. */
export async function startEntityService(file = ":memory:"): Promise<EntityService> {
  const clock = { now: () => Date.now() };
  const database = openSqlite(file);
  const migrationsFolder = fileURLToPath(new URL("../../migrations", import.meta.url));
  prepareDatabase(database, { migrationsFolder, production: false, now: clock.now });
  const repositories = repositoriesIn(createQueries(database));
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
    database,
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
      database.close();
    },
  };
}
