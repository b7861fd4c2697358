import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { Ledger } from "../../application/ports/ledger.js";
import type { HttpContext } from "./http-context.js";
import { closed, isoTime, JsonObject, PageQuery, page } from "./schemas.js";

const LedgerQuery = closed({ run: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })), ...PageQuery });

/** What the simulated services did, one entry per idempotency key. Not in production, where nothing is simulated. */
export function simulatedRoutes(
  app: FastifyInstance,
  application: { readonly ledger: Ledger | null },
  { callers }: HttpContext,
): void {
  const { ledger } = application;
  if (ledger === null) return;

  app.get<{ Querystring: Static<typeof LedgerQuery> }>(
    "/simulated/ledger",
    {
      schema: {
        tags: ["simulated"],
        summary: "What the simulated services did",
        querystring: LedgerQuery,
        response: { 200: page(JsonObject) },
      },
    },
    async (request) => {
      await callers.requireCaller(request);
      const { items, nextCursor } = await ledger.list(request.query);
      return { items: items.map(({ at, ...entry }) => ({ ...entry, at: isoTime(at) })), next_cursor: nextCursor };
    },
  );
}
