import { serve } from "../serve.js";
import { type ProxyCount, type RedisProxy, startRedisProxy } from "./redis-proxy.js";

/** The proxy before Redis in a process of its own: in the bench's it would take turns with what sends the requests. */
export type ProxyRequest =
  | { readonly kind: "open"; readonly redisPort: number }
  | { readonly kind: "reset"; readonly delayMs: number }
  | { readonly kind: "count" }
  | { readonly kind: "close" };

export interface ProxyAnswer extends ProxyCount {
  readonly port: number;
}

let proxy: RedisProxy | null = null;

serve(async (request: ProxyRequest): Promise<ProxyAnswer> => {
  if (request.kind === "open") proxy = await startRedisProxy(request.redisPort);
  if (proxy === null) throw new Error("expected to be opened first");
  if (request.kind === "reset") proxy.reset(request.delayMs);
  if (request.kind === "close") await proxy.close();
  return { port: proxy.port, ...proxy.count };
});
