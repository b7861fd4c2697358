import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import express, { type RequestHandler } from "express";
import Fastify, { type FastifyPluginAsync, type FastifyPluginCallback, type FastifyRequest } from "fastify";
import { DEFAULT_CONFIG } from "../../config.js";
import type { SessionStore } from "../../store/session-store.js";
import { createSessionManager } from "../session-manager.js";
import { expressSessions } from "./express.js";
import { createExpressSessionStore, type ExpressSessionModule } from "./express-session.js";
import { fastifySessions } from "./fastify.js";
import { createFastifySessionStore } from "./fastify-session.js";
import { clientOf, type HttpClient, serve } from "./http-service.test.support.js";
import type { RequestSession } from "./request-session.js";

/** What every adapter can do with the session of a request. */
export interface RaceSession {
  fields(): Record<string, unknown>;
  set(field: string, value: unknown): void;
  destroy(): Promise<unknown>;
  /** Another token, as at a sign-in. */
  regenerate(): Promise<unknown>;
}

/** Performs a route; `session` is what the adapter loaded. */
export type RaceHandler = (path: string, session: RaceSession) => Promise<unknown>;

export interface Adapter {
  readonly name: string;
  /** Whether a sign-in takes the fields along. */
  readonly keepsFields: boolean;
  /** Whether a write that failed is what the client is told. */
  readonly tellsFailure: boolean;
  start(store: SessionStore, handle: RaceHandler): Promise<HttpClient>;
}

const FIELDS = ["seed", "a", "b"] as const;
// Their types claim `request.session` for themselves, as ours do; so they are loaded without.
const require = createRequire(import.meta.url);
const expressSession = require("express-session") as ExpressSessionModule & ((options: object) => RequestHandler);
const fastifyCookie = require("@fastify/cookie") as FastifyPluginCallback;
const fastifySession = require("@fastify/session") as FastifyPluginAsync<object>;
const SECRET = "a secret of at least thirty-two characters";

export const ADAPTERS: readonly Adapter[] = [
  {
    name: "Fastify plugin",
    keepsFields: true,
    tellsFailure: true,
    async start(store, handle) {
      const sessions = createSessionManager({ store, config: DEFAULT_CONFIG.context });
      await sessions.open();
      const app = Fastify();
      await app.register(fastifySessions, { sessions, guessing: false });
      app.all("/:path", (request: FastifyRequest<{ Params: { path: string } }>) =>
        handle(request.params.path, ours(request.session)),
      );
      return listening(app, () => sessions.close());
    },
  },
  {
    name: "Express middleware",
    keepsFields: true,
    tellsFailure: true,
    async start(store, handle) {
      const sessions = createSessionManager({ store, config: DEFAULT_CONFIG.context });
      await sessions.open();
      const app = express();
      app.use(expressSessions({ sessions, guessing: false }));
      app.all("/:path", async (request, response) => {
        response.json(await handle(request.params.path, ours(request.session)));
      });
      return closing(await serve(app), () => sessions.close());
    },
  },
  ...[false, true].map(
    (resave): Adapter => ({
      name: `express-session, resave ${resave}`,
      keepsFields: false,
      tellsFailure: false,
      async start(store, handle) {
        await store.open();
        const app = express();
        const options = { resave, saveUninitialized: false, secret: SECRET, cookie: { maxAge: 3_600_000 } };
        app.use(expressSession({ ...options, store: createExpressSessionStore(expressSession, { store }) }));
        app.all("/:path", async (request, response) => {
          response.json(await handle(request.params.path, theirs(request as unknown as WithTheirSession)));
        });
        app.use(((_error, _request, _response, next) => next()) as express.ErrorRequestHandler);
        return closing(await serve(app), () => store.close());
      },
    }),
  ),
  ...[false, true].map(
    (rolling): Adapter => ({
      name: `@fastify/session, rolling ${rolling}`,
      keepsFields: false,
      tellsFailure: true,
      async start(store, handle) {
        await store.open();
        const app = Fastify();
        const cookie = { maxAge: 3_600_000, secure: false };
        await app.register(fastifyCookie);
        const options = { rolling, saveUninitialized: false, secret: SECRET, cookie };
        const inOurs: object = { ...options, store: createFastifySessionStore({ store }) };
        await app.register(fastifySession, inOurs);
        app.all("/:path", (request: FastifyRequest<{ Params: { path: string } }>) =>
          handle(request.params.path, theirs(request as unknown as WithTheirSession)),
        );
        return listening(app, () => store.close());
      },
    }),
  ),
];

function ours(session: RequestSession): RaceSession {
  return {
    fields: () => pick((field) => session.get(field)),
    set: (field, value) => session.set(field, value as string),
    destroy: () => session.destroy(),
    regenerate: () => session.signIn({ subject: "alice" }),
  };
}

interface WithTheirSession {
  session: Record<string, unknown> & {
    destroy(done: (error?: unknown) => void): void;
    regenerate(done: (error?: unknown) => void): void;
  };
}

function theirs(request: WithTheirSession): RaceSession {
  const called = (method: "destroy" | "regenerate"): Promise<void> =>
    new Promise((resolve, reject) => request.session[method]((error) => (error ? reject(error) : resolve())));
  return {
    fields: () => pick((field) => request.session[field]),
    set: (field, value) => {
      request.session[field] = value;
    },
    destroy: () => called("destroy"),
    async regenerate() {
      await called("regenerate");
      request.session.seed = "new";
    },
  };
}

function pick(get: (field: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(FIELDS.map((field) => [field, get(field)]).filter(([, value]) => value !== undefined));
}

async function listening(app: ReturnType<typeof Fastify>, close: () => Promise<void>): Promise<HttpClient> {
  await app.listen({ port: 0, host: "127.0.0.1" });
  return closing(
    clientOf((app.server.address() as AddressInfo).port, () => app.close()),
    close,
  );
}

function closing(client: HttpClient, close: () => Promise<void>): HttpClient {
  return {
    ...client,
    async close() {
      await client.close();
      await close();
    },
  };
}
