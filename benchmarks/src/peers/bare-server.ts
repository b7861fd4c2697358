import type { FastifyInstance } from "fastify";
import { fastifyApp, listenFastify } from "../sessions/fastify-app.js";
import { CONSTANT_ANSWER, JSON_TYPE, ROUTES } from "../sessions/routes.js";
import { serveSessions } from "../sessions/serve-sessions.js";

/** Fastify as its contenders use it, without sessions: what is left when they cost nothing. */
let app: FastifyInstance | null = null;

serveSessions({
  open: async () => {
    app = fastifyApp();
    // Asynchronous like a route that asks Redis.
    app.get(ROUTES.me, async (_request, reply) => {
      reply.type(JSON_TYPE);
      return CONSTANT_ANSWER;
    });
    return await listenFastify(app);
  },
  close: async () => {
    await app?.close();
  },
});
