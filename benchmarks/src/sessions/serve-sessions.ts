import { serve } from "../serve.js";

/** What the bench asks a contender's process; the answer is the port of its HTTP server, 0 once it is closed. */
export type SessionRequest = { readonly kind: "open"; readonly redisPort: number } | { readonly kind: "close" };

/** What a contender's program implements: an HTTP server with the routes of `routes.ts`. */
export interface SessionServer {
  /** Listens on a free port of the loopback address, and gives it. `redisPort`: of the Redis, or of a proxy before it. */
  open(redisPort: number): Promise<number>;
  close(): Promise<void>;
}

export function serveSessions(server: SessionServer): void {
  serve(async (request: SessionRequest): Promise<number> => {
    if (request.kind === "open") return await server.open(request.redisPort);
    await server.close();
    return 0;
  });
}
