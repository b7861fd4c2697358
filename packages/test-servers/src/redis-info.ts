import { askRedis, replyText } from "./resp-client.js";

/** What `INFO` says in these sections (or another command in the same form), by name. */
export async function redisInfo(
  port: number,
  command: readonly ["INFO", ...string[]] | readonly ["CLUSTER", "INFO"],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const lines = replyText(await askRedis(port, command, signal)).split("\r\n");
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}
