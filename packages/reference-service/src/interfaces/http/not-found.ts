import type { FastifyInstance } from "fastify";
import { Problem } from "./problem.js";

/** 404 for a path nobody serves; 405 with `Allow` for one that is served under other methods. */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const served: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    const pattern = url.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:[^/]+/g, "[^/]+");
    served.push({ pattern: new RegExp(`^${pattern}/?$`), methods: [method].flat() });
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split("?", 1)[0] ?? "/";
    const methods = served.filter(({ pattern }) => pattern.test(path)).flatMap((route) => route.methods);
    if (methods.length === 0 || methods.includes(request.method)) {
      throw new Problem(404, "not-found", "Nothing is served at this path.");
    }
    const allow = [...new Set(methods)].sort().join(", ");
    throw new Problem(405, "method-not-allowed", `This path is served under ${allow}.`, { headers: { allow } });
  });
}
