import { ContenderProcess } from "../contender-process.js";
import { nodeBinary } from "../node-binary.js";
import type { ProxyAnswer, ProxyRequest } from "./serve-proxy.js";

export type ProxyProcess = ContenderProcess<ProxyRequest, ProxyAnswer>;

/** Starts the proxy before a Redis; `folder` gets its log. */
export async function openProxy(
  redisPort: number,
  folder: string,
): Promise<{ readonly proxy: ProxyProcess; readonly port: number }> {
  const program = { name: "redis-proxy", program: "sessions/serve-proxy.js", args: [], nodeArgs: [] };
  const { contender, answer } = await ContenderProcess.open<ProxyRequest, ProxyAnswer>(
    { ...program, node: nodeBinary("own") },
    folder,
    { kind: "open", redisPort },
  );
  return { proxy: contender, port: answer.port };
}
