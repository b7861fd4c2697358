/**
 * The HTTP interface: one Fastify instance, its refusals as problem details, its routes. It knows the application only.
 * Closing stops accepting, ends waits and event streams, and lets the other requests finish.
 */
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import fastify, { type FastifyInstance } from "fastify";
import type { Application } from "../../application/application.generated.js";
import type { Logger } from "../../application/ports/logger.js";
import { createCallers, guardOperatorRoutes } from "./callers.js";
import { closeSilentConnections } from "./connections.js";
import { describeApi } from "./docs.js";
import { healthRoutes } from "./health-routes.js";
import type { HttpSettings } from "./http-settings.js";
import { readJsonBodies } from "./json-body.js";
import { refuseUnknownRoutes } from "./not-found.js";
import { PROBLEM_TYPE, Problem, problemBody, problemOf, sendProblem } from "./problem.js";
import { registerRoutes } from "./routes.generated.js";
import { validateRequests } from "./validation.js";

export interface ServerDependencies {
  readonly settings: HttpSettings;
  readonly application: Application;
  readonly logger: Logger;
  /** Gives requests their `session`. */
  readonly requestSessions: (app: FastifyInstance) => Promise<void>;
}

export async function buildServer({
  settings,
  application,
  logger,
  requestSessions,
}: ServerDependencies): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: settings.bodyLimitBytes,
    trustProxy: settings.trustedProxies > 0 && ((_address, hop) => hop < settings.trustedProxies),
    genReqId: () => randomUUID(),
    // Behind a proxy the client's own id would be forged as easily as not: ids are ours.
    requestIdHeader: false,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 128 },
    frameworkErrors: (error, request, reply) => {
      sendProblem(reply as never, problemOf(error));
      logger.debug({ request_id: request.id, code: error.code }, "request refused");
    },
    clientErrorHandler: refuseBrokenRequest,
  });
  const stopping = new AbortController();
  // Every wait and every stream listens: their number is that of the open requests, not a leak.
  setMaxListeners(0, stopping.signal);
  app.addHook("preClose", async () => stopping.abort());

  closeSilentConnections(app);
  readJsonBodies(app);
  validateRequests(app);
  refuseUnknownRoutes(app);
  answerErrors(app, logger);
  observe(app, application, logger);

  if (settings.trustedProxies === 0) warnOfProxies(app, logger);
  await describeApi(app, settings);
  await requestSessions(app);
  await app.register((routes, _options, done) => {
    const callers = createCallers(settings);
    guardOperatorRoutes(routes, callers);
    healthRoutes(routes, application, settings);
    registerRoutes(routes, application, { settings, callers, stopping: stopping.signal, logger });
    done();
  });
  await app.ready();
  return app;
}

function answerErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    // 501 is an answer like any other; 500 and 503 are the service's own troubles.
    if (problem.status >= 500 && problem.status !== 501)
      logger.error({ request_id: request.id, route: request.routeOptions.url, err: error }, "request failed");
    return sendProblem(reply, problem);
  });
}

function observe(app: FastifyInstance, application: Application, logger: Logger): void {
  app.addHook("onSend", async (request, reply) => {
    reply.header("x-request-id", request.id).header("x-content-type-options", "nosniff");
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    const facts = { method: request.method, route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 };
    application.telemetry.request(facts);
    const probe = route.startsWith("/health/") || route === "/metrics";
    logger[probe ? "debug" : "info"]({ request_id: request.id, ...facts }, "request");
  });
}

/** Behind a proxy that is not believed all clients have one address, and one who guesses tokens has the others refused. */
function warnOfProxies(app: FastifyInstance, logger: Logger): void {
  let isSaid = false;
  app.addHook("onRequest", async ({ headers }) => {
    if (isSaid || headers["x-forwarded-for"] === undefined) return;
    isSaid = true;
    const message =
      "a request came with X-Forwarded-For: if there are proxies in front, say in http.trust_proxy how many";
    logger.warn({}, message);
  });
}

/** Answers what is not HTTP at all; there is no request to reply to, only a socket. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const tooLarge = error.code === "HPE_HEADER_OVERFLOW";
  const problem = tooLarge
    ? new Problem(431, "headers-too-large", "The request's headers are larger than this service takes.")
    : new Problem(400, "malformed-request", "The request is not valid HTTP.");
  const body = JSON.stringify(problemBody(problem));
  const status = tooLarge ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const head = [
    `HTTP/1.1 ${status}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
