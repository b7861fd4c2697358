import fastify, { type FastifyInstance } from "fastify";
import { KEEP_ALIVE_MS } from "./http-server.js";

/**
 * Fastify as all its contenders use it: no logger, connections kept. Nothing else of its settings makes it faster, and its answers are
 * text, which it sends without a serializer.
 */
export function fastifyApp(): FastifyInstance {
  return fastify({ logger: false, keepAliveTimeout: KEEP_ALIVE_MS, forceCloseConnections: true });
}

/** Listens on a free port of the loopback address, and gives it. */
export async function listenFastify(app: FastifyInstance): Promise<number> {
  await app.listen({ host: "127.0.0.1", port: 0 });
  const [address] = app.addresses();
  if (address === undefined || typeof address === "string") throw new Error("expected a port of the loopback address");
  return address.port;
}
