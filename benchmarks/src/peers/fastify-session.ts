import { fastifyCookie } from "@fastify/cookie";
import { fastifySession } from "@fastify/session";
import { RedisStore } from "connect-redis";
import type { FastifyInstance } from "fastify";
import { createClient } from "redis";
import { fastifyApp, listenFastify } from "../sessions/fastify-app.js";
import {
  changedNote,
  IDLE_SECONDS,
  JSON_TYPE,
  type LoginParams,
  loginData,
  type NoteParams,
  noteAnswer,
  ROUTES,
  userAnswer,
} from "../sessions/routes.js";
import { serveSessions } from "../sessions/serve-sessions.js";

/**
 * @fastify/session 11 with connect-redis 9 (10 needs a newer Node) and node-redis 6, which sends the commands of one turn of the event
 * loop together. Argument `rolling`: its default, in which a read also writes the whole session, because that is how its expiry moves.
 * Argument `not-rolling`: a read is one GET, and the session ends so long after its login, used or not.
 */
declare module "fastify" {
  interface Session {
    user: string;
    note: string;
  }
}

const rolling = process.argv[2] === "rolling";
let app: FastifyInstance | null = null;
let client: ReturnType<typeof createClient> | null = null;

function routes(server: FastifyInstance): void {
  server.post<{ Params: LoginParams }>(ROUTES.login, (request, reply) => {
    const data = loginData(request.params);
    Object.assign(request.session, data);
    reply.type(JSON_TYPE).send(userAnswer(data.user));
  });
  server.get(ROUTES.me, (request, reply) => {
    reply.type(JSON_TYPE).send(userAnswer(request.session.user));
  });
  server.post<{ Params: NoteParams }>(ROUTES.changeNote, (request, reply) => {
    const { note } = request.session;
    if (note !== undefined) request.session.note = changedNote(note, request.params);
    reply.type(JSON_TYPE).send(userAnswer(request.session.user));
  });
  server.get(ROUTES.note, (request, reply) => {
    reply.type(JSON_TYPE).send(noteAnswer(request.session.note));
  });
}

serveSessions({
  open: async (redisPort) => {
    client = createClient({ socket: { host: "127.0.0.1", port: redisPort } });
    await client.connect();
    app = fastifyApp();
    await app.register(fastifyCookie);
    await app.register(fastifySession, {
      store: new RedisStore({ client }),
      secret: "a secret of the benchmarks, 32 letters and more",
      ...{ rolling, saveUninitialized: false },
      cookie: { maxAge: IDLE_SECONDS * 1_000, httpOnly: true, sameSite: "lax", secure: false },
    });
    routes(app);
    return await listenFastify(app);
  },
  close: async () => {
    await app?.close();
    client?.destroy();
  },
});
