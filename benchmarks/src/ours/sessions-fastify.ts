import { createSessionManager, resolveConfig, type SessionManager } from "@clean-arch/runtime";
import { createRedisSessionStore } from "@clean-arch/runtime/redis";
import { fastifySessions } from "@clean-arch/runtime/sessions/fastify";
import type { FastifyInstance } from "fastify";
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
 * Ours on Fastify, with what it does by default: a token of 264 bits whose hash is compared, idle and absolute deadlines, the guards against
 * forged requests and guessed tokens, changed fields found out and written before the headers. A session is of a subject, so the read brings
 * the subject's epoch as well. Only `secure` is off, as the others' is.
 */
let app: FastifyInstance | null = null;
let sessions: SessionManager | null = null;

function routes(server: FastifyInstance): void {
  server.post<{ Params: LoginParams }>(ROUTES.login, async (request, reply) => {
    const data = loginData(request.params);
    await request.session.signIn({ subject: data.user, data: { ...data } });
    reply.type(JSON_TYPE).send(userAnswer(data.user));
    return reply;
  });
  server.get(ROUTES.me, (request, reply) => {
    reply.type(JSON_TYPE).send(userAnswer(request.session.get("user") as string | undefined));
  });
  server.post<{ Params: NoteParams }>(ROUTES.changeNote, (request, reply) => {
    const note = request.session.get("note") as string | undefined;
    if (note !== undefined) request.session.set("note", changedNote(note, request.params));
    reply.type(JSON_TYPE).send(userAnswer(request.session.get("user") as string | undefined));
  });
  server.get(ROUTES.note, (request, reply) => {
    reply.type(JSON_TYPE).send(noteAnswer(request.session.get("note") as string | undefined));
  });
}

serveSessions({
  open: async (redisPort) => {
    const store = createRedisSessionStore({ url: `redis://127.0.0.1:${redisPort}` });
    sessions = createSessionManager({ store, config: { ...resolveConfig().context, ttlMs: IDLE_SECONDS * 1_000 } });
    await sessions.open();
    app = fastifyApp();
    await app.register(fastifySessions, { sessions, cookie: { secure: false } });
    routes(app);
    return await listenFastify(app);
  },
  close: async () => {
    await app?.close();
    await sessions?.close();
  },
});
