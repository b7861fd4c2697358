import type { Server } from "node:http";
import { createSessionManager, resolveConfig, type SessionManager } from "@clean-arch/runtime";
import { createRedisSessionStore } from "@clean-arch/runtime/redis";
import { expressSessions } from "@clean-arch/runtime/sessions/express";
import type { Express } from "express";
import { answer, expressApp } from "../peers/express-app.js";
import { listen, stop } from "../sessions/http-server.js";
import { changedNote, IDLE_SECONDS, loginData, noteAnswer, ROUTES, userAnswer } from "../sessions/routes.js";
import { serveSessions } from "../sessions/serve-sessions.js";

/** Ours on Express 5, as on Fastify (sessions-fastify.ts): what it does by default, without `secure`. */
let server: Server | null = null;
let sessions: SessionManager | null = null;

function routes(app: Express): void {
  app.post(ROUTES.login, (request, response, next) => {
    const data = loginData(request.params);
    request.session.signIn({ subject: data.user, data: { ...data } }).then(
      () => answer(response, userAnswer(data.user)),
      (error: unknown) => next(error),
    );
  });
  app.get(ROUTES.me, (request, response) => {
    answer(response, userAnswer(request.session.get("user") as string | undefined));
  });
  app.post(ROUTES.changeNote, (request, response) => {
    const note = request.session.get("note") as string | undefined;
    if (note !== undefined) request.session.set("note", changedNote(note, request.params));
    answer(response, userAnswer(request.session.get("user") as string | undefined));
  });
  app.get(ROUTES.note, (request, response) => {
    answer(response, noteAnswer(request.session.get("note") as string | undefined));
  });
}

serveSessions({
  open: async (redisPort) => {
    const store = createRedisSessionStore({ url: `redis://127.0.0.1:${redisPort}` });
    sessions = createSessionManager({ store, config: { ...resolveConfig().context, ttlMs: IDLE_SECONDS * 1_000 } });
    await sessions.open();
    const app = expressApp();
    app.use(expressSessions({ sessions, cookie: { secure: false } }));
    routes(app);
    const listening = await listen(app);
    server = listening.server;
    return listening.port;
  },
  close: async () => {
    await stop(server);
    await sessions?.close();
  },
});
