/** The OpenAPI document, made of the routes' own schemas, and a page for people. The page needs no script and no asset. */
import swagger from "@fastify/swagger";
import type { FastifyInstance, FastifySchema } from "fastify";
import { type Document, docsPage, docsPolicy } from "./docs-page.js";
import type { HttpSettings } from "./http-settings.js";
import { PROBLEM_MEDIA_TYPE } from "./problem.js";
import { ProblemDetails } from "./schemas.js";

/** Any call may be refused, and all refusals look alike. */
function withErrors(schema: FastifySchema): FastifySchema {
  const content = { [PROBLEM_MEDIA_TYPE]: { schema: ProblemDetails } };
  const answers = (schema.response ?? { 200: { description: "Done.", type: "object" } }) as object;
  return { ...schema, response: { ...answers, default: { description: "Problem details (RFC 9457).", content } } };
}

export async function describeApi(app: FastifyInstance, settings: HttpSettings): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: settings.name, version: settings.version, description: settings.description },
      components: {
        securitySchemes: {
          session: { type: "http", scheme: "bearer", description: "A session's token." },
          session_cookie: { type: "apiKey", in: "cookie", name: settings.cookie.name },
          operator: { type: "http", scheme: "bearer", description: "The operator token." },
        },
      },
    },
    transform: ({ schema, url }) => ({ schema: withErrors(schema), url }),
  });
  // Made once, when the first one asks: by then every route is there.
  let document: Document | undefined;
  const read = (): Document => {
    document ??= app.swagger() as unknown as Document;
    return document;
  };

  app.get("/openapi.json", { schema: { hide: true } }, async () => read());
  app.get("/docs", { schema: { hide: true } }, async (_request, reply) =>
    reply.type("text/html; charset=utf-8").header("content-security-policy", docsPolicy).send(docsPage(read())),
  );
}
