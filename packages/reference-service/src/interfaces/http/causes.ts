import type { FastifyInstance } from "fastify";
import type { Events } from "../../application/ports/events.js";

/** What a request publishes goes on with its trace. In the last hook before the handler, behind whatever waits for the body. */
export function traceCauses(app: FastifyInstance, { events }: { readonly events: Events }): void {
  app.addHook("preHandler", (request, _reply, done) => {
    const { traceparent } = request.headers;
    events.causedBy(typeof traceparent === "string" ? traceparent : undefined, done);
  });
}
