import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";

/** Longer than any pause of the bench: connections are kept for all of a turn. */
export const KEEP_ALIVE_MS = 300_000;

/** An HTTP server on a free port of the loopback address, for what is a listener of `node:http`. */
export async function listen(listener: RequestListener): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port of the loopback address");
  return { server, port: address.port };
}

export async function stop(server: Server | null): Promise<void> {
  if (server === null) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
