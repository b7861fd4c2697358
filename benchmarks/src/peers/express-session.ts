import type { Server } from "node:http";
import { RedisStore } from "connect-redis";
import type { Express } from "express";
import session from "express-session";
import { createClient } from "redis";
import { listen, stop } from "../sessions/http-server.js";
import { changedNote, IDLE_SECONDS, loginData, noteAnswer, ROUTES, userAnswer } from "../sessions/routes.js";
import { serveSessions } from "../sessions/serve-sessions.js";
import type { SessionData } from "../sessions/session-data.js";
import { answer, expressApp } from "./express-app.js";

/**
 * express-session 1.19 on Express 4 with connect-redis 9 (10 needs a newer Node) and node-redis 6, which sends the commands of one turn
 * of the event loop together. resave=false, rolling=false and saveUninitialized=false are its best: a read is GET and, with the answer
 * already begun, EXPIRE; the default resave=true writes the whole session each time.
 */
declare module "express-session" {
  interface SessionData {
    user: string;
    note: string;
  }
}

let server: Server | null = null;
let client: ReturnType<typeof createClient> | null = null;

function routes(app: Express): void {
  app.post(ROUTES.login, (request, response) => {
    const data: SessionData = loginData(request.params);
    Object.assign(request.session, data);
    answer(response, userAnswer(data.user));
  });
  app.get(ROUTES.me, (request, response) => answer(response, userAnswer(request.session.user)));
  app.post(ROUTES.changeNote, (request, response) => {
    const { note } = request.session;
    if (note !== undefined) request.session.note = changedNote(note, request.params);
    answer(response, userAnswer(request.session.user));
  });
  app.get(ROUTES.note, (request, response) => answer(response, noteAnswer(request.session.note)));
}

serveSessions({
  open: async (redisPort) => {
    client = createClient({ socket: { host: "127.0.0.1", port: redisPort } });
    await client.connect();
    const app = expressApp();
    app.use(
      session({
        store: new RedisStore({ client }),
        secret: "a secret of the benchmarks, 32 letters and more",
        ...{ resave: false, rolling: false, saveUninitialized: false },
        cookie: { maxAge: IDLE_SECONDS * 1_000, httpOnly: true, sameSite: "lax", secure: false },
      }),
    );
    routes(app);
    const listening = await listen(app);
    server = listening.server;
    return listening.port;
  },
  close: async () => {
    await stop(server);
    client?.destroy();
  },
});
