import type { Targets } from "../ratios.js";
import type { RatioName } from "./result.js";

const besides = { at: null, least: true } as const;

/** What each ratio has to reach, and which way is good. */
export const TARGETS: Targets<RatioName> = {
  vs_fastify_session: { text: "requests/s against @fastify/session, rolling; reads of 2 kB", at: 2.4, least: true },
  vs_express_session: { text: "the same against express-session", at: 4.5, least: true },
  of_getex_route: { text: "the same against the hand-written GETEX route", at: 0.9, least: true },
  commands_per_read: { text: "commands that a read sends to Redis", at: 1, least: false },
  round_trips_per_read: { text: "round trips to Redis, one after the other, of a read", at: 1, least: false },
  commands_anonymous: { text: "commands that a request without a cookie sends to Redis", at: 0, least: false },
  express_vs_express_session: { ...besides, text: "our Express middleware against express-session" },
  vs_fastify_session_not_rolling: {
    ...besides,
    text: "against @fastify/session without rolling, whose expiry is fixed",
  },
  vs_fastify_session_writing: { ...besides, text: "against @fastify/session, one request of ten writes" },
  vs_express_session_writing: { ...besides, text: "against express-session, one request of ten writes" },
  vs_fastify_session_at_1ms: { ...besides, text: "against @fastify/session, Redis 1 ms further away" },
  vs_express_session_at_1ms: { ...besides, text: "against express-session, Redis 1 ms further away" },
  of_bare_server: { ...besides, text: "against the same Fastify server without sessions" },
  express_of_bare_express: { ...besides, text: "our Express middleware against Express without sessions" },
};
