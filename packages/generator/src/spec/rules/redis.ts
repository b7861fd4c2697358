/** Where Redis is: one server, or with commas between them the nodes of a cluster. */
import { shown } from "../../diagnostics.js";
import type { Rule } from "./rule.js";
import { reportUrl } from "./urls.js";

const PROTOCOLS = ["redis:", "rediss:"];
const PATH = ["redis", "url"];

export const checkRedis: Rule = ({ config, report }) => {
  const written = config.redis?.url;
  if (written === undefined) return;
  const nodes = written.split(",");
  const refuse = (expected: string, got: string, hint?: string): void =>
    report({ code: "bad-url", path: PATH, expected, got, ...(hint === undefined ? {} : { hint }) });
  if (nodes.some((node) => node === "")) return refuse("a url, or several with one comma between two", "an empty one");
  for (const node of nodes) if (!reportUrl(report, PATH, node, PROTOCOLS, { user: true })) return;
  const urls = nodes.map((node) => new URL(node));
  const database = urls
    .map(({ pathname }) => pathname.replace(/^\/$/, ""))
    .find((path) => !/^(\/[0-9]{1,5})?$/.test(path));
  if (database !== undefined)
    return refuse("nothing behind the host but the number of a database, as /0", shown(database));
  if (urls.length === 1) return;
  const numbered = urls.find(({ pathname }) => !/^(\/0?)?$/.test(pathname));
  if (numbered !== undefined)
    return refuse("nodes without a database", numbered.pathname, "a Redis Cluster has database 0 alone");
  const of = (part: (url: URL) => string): number => new Set(urls.map(part)).size;
  if (of(({ protocol, username }) => `${protocol}//${username}`) > 1)
    return refuse("nodes of one scheme and user", "different ones");
  if (of(({ hostname, port }) => `${hostname.toLowerCase()}:${port === "" ? "6379" : port}`) < urls.length)
    return refuse("each node once", "one twice");
};
