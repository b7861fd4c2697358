import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/**
 * When the service stops, connections that carry no request are closed at once: kept alive, opened and never used, or still
 * sending a request's headers. The others are closed with their answer. Without this one silent client delays every stop.
 */
export function closeSilentConnections(app: FastifyInstance): void {
  const silent = new Set<Socket>();
  let stopping = false;

  app.server.on("connection", (socket) => {
    if (stopping) return void socket.destroy();
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  app.server.on("request", ({ socket }, response) => {
    silent.delete(socket);
    response.once("close", () => {
      if (stopping) socket.end();
      else if (!socket.destroyed) silent.add(socket);
    });
  });
  app.addHook("preClose", async () => {
    stopping = true;
    for (const socket of silent) socket.destroy();
  });
}
