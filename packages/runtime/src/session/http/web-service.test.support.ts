import type { AddressInfo } from "node:net";
import express, { type ErrorRequestHandler, type Express } from "express";
import Fastify, { type FastifyInstance } from "fastify";
import { onTestFinished } from "vitest";
import { DEFAULT_CONFIG } from "../../config.js";
import type { Logger } from "../../log.js";
import { systemPorts } from "../../ports.js";
import type { SessionStore } from "../../store/session-store.js";
import { createMemorySessionStore } from "../../stores/memory/session-store.js";
import { type Intercept, interceptSessionStore } from "../../testing/intercept-session-store.test.support.js";
import { createManualClock } from "../../testing/manual-clock.js";
import type { SessionEvent } from "../session-events.js";
import { createSessionManager, type SessionManagerOptions } from "../session-manager.js";
import { expressSessions } from "./express.js";
import { fastifySessions } from "./fastify.js";
import { clientOf, type HttpClient, serve } from "./http-service.test.support.js";
import type { HttpSessionOptions } from "./http-sessions.js";
import type { RequestSession } from "./request-session.js";
import { sessionProblemOf } from "./session-problem.js";

export type Framework = "Fastify" | "Express";
export const FRAMEWORKS: readonly Framework[] = ["Fastify", "Express"];

/** A session as a service without declared fields has it. */
export type Act = (session: RequestSession, query: Readonly<Record<string, string>>) => unknown;

/** What the routes do; any method is taken. */
const ACTS: Readonly<Record<string, Act>> = {
  whoami: ({ id, subject, isNew }) => ({ id, subject, isNew }),
  ignore: () => "nothing read",
  read: (session, { field = "a" }) => ({ value: session.get(field) ?? null }),
  set: (session, { field = "a", value = "1" }) => session.set(field, value),
  push: (session, { value = "1" }) => {
    const list = session.get("list") as string[] | undefined;
    if (list === undefined) session.set("list", [value]);
    else list.push(value);
  },
  login: (session, { subject = "alice" }) => session.signIn({ subject }),
  "step-up": (session) => session.stepUp({ level: 2 }),
  rotate: (session) => session.rotate(),
  logout: async (session) => ({ wasLive: await session.destroy() }),
  "revoke-others": async (session) => ({ revoked: await session.revokeOthers() }),
  csrf: ({ csrfToken }) => ({ csrfToken }),
  mine: (session) => ({ subject: session.requireSubject() }),
  fresh: (session) => ({ subject: session.requireFresh({ maxAgeMs: 300_000, level: 2 }) }),
  count: (session) => session.update(({ n = 0 }) => ({ n: Number(n) + 1 })),
};

export interface WebOptions {
  readonly http?: Partial<Omit<HttpSessionOptions, "sessions">>;
  readonly manager?: Partial<SessionManagerOptions>;
  readonly intercept?: Intercept;
  /** Routes beside those above. */
  readonly acts?: Readonly<Record<string, Act>>;
  /** Instances over the same sessions. Default 1. */
  readonly instances?: number;
}

/** Makes the routes of one framework that are not made of acts. */
export interface WebRoutes {
  readonly fastify?: (app: FastifyInstance) => void;
  readonly express?: (app: Express) => void;
}

/** A service whose sessions live in memory, by a manual clock; `calls` are those of its store, in their order. */
export async function openWeb(framework: Framework, options: WebOptions = {}, routes: WebRoutes = {}) {
  const clock = createManualClock();
  const store: SessionStore = createMemorySessionStore({ clock });
  const calls: string[] = [];
  const events: SessionEvent[] = [];
  const logged: { readonly level: string; readonly facts: object; readonly message: string }[] = [];
  const log = (level: string) => (facts: object, message: string) => void logged.push({ level, facts, message });
  const logger: Logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const { intercept = (_method, call) => call() } = options;
  const counted = interceptSessionStore(store, (method, call) => {
    if (!["open", "close", "sweep", "settle"].includes(method)) calls.push(method);
    return intercept(method, call);
  });
  const ports = { clock, random: systemPorts.random };
  const tell = (event: SessionEvent): void => void events.push(event);
  const shared = { ports, logger, events: tell };
  const sessions = createSessionManager({
    ...{ store: counted, config: DEFAULT_CONFIG.context, ...shared },
    ...options.manager,
  });
  await sessions.open();
  const http = { sessions, ...shared, ...options.http };
  const acts = { ...ACTS, ...options.acts };
  const start = framework === "Fastify" ? startFastify : startExpress;
  const clients: HttpClient[] = [];
  for (let n = 0; n < (options.instances ?? 1); n += 1) clients.push(await start(http, acts, routes));
  onTestFinished(async () => {
    for (const client of clients) await client.close();
    await sessions.close();
  });
  const [client] = clients as [HttpClient];
  return { ...client, clients, clock, store, sessions, calls, events, logged };
}

async function startFastify(http: HttpSessionOptions, acts: typeof ACTS, routes: WebRoutes): Promise<HttpClient> {
  const app = Fastify({ forceCloseConnections: true });
  await app.register(fastifySessions, http);
  for (const [name, act] of Object.entries(acts)) {
    app.all(`/${name}`, async ({ session, query }) => (await act(session, query as Record<string, string>)) ?? null);
  }
  routes.fastify?.(app);
  await app.listen({ port: 0, host: "127.0.0.1" });
  return clientOf((app.server.address() as AddressInfo).port, () => app.close());
}

async function startExpress(http: HttpSessionOptions, acts: typeof ACTS, routes: WebRoutes): Promise<HttpClient> {
  const app = express();
  app.use(expressSessions(http));
  for (const [name, act] of Object.entries(acts)) {
    app.all(`/${name}`, async ({ session, query }, response) => {
      response.json((await act(session, query as Record<string, string>)) ?? null);
    });
  }
  routes.express?.(app);
  const answer: ErrorRequestHandler = (error, _request, response, next) => {
    const problem = sessionProblemOf(error);
    if (problem === undefined || response.headersSent) return next(error);
    response.status(problem.status).set(problem.headers).send(problem.body);
  };
  app.use(answer);
  return serve(app);
}
