/** Urls and paths a config may name: where a service is, and what is called below it. */
import { type DiagnosticCode, shown } from "../../diagnostics.js";
import type { Path } from "../node.js";
import type { Rule, RuleInput } from "./rule.js";

interface Problem {
  readonly code: DiagnosticCode;
  readonly expected: string;
  readonly hint?: string;
}

/** Null: fine. */
function urlProblem(written: string, protocols: readonly string[]): Problem | null {
  const expected = `a url that starts with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`;
  // The parser drops tabs and line breaks and turns \ into /, so what it would hide is refused before it reads.
  if (/[\s\\]/.test(written)) return { code: "bad-url", expected: `${expected}, without spaces or \\` };
  let url: URL;
  try {
    url = new URL(written);
  } catch {
    return { code: "bad-url", expected };
  }
  if (!protocols.includes(url.protocol) || !written.toLowerCase().startsWith(`${url.protocol}//`))
    return { code: "bad-url", expected };
  if (url.hostname === "") return { code: "bad-url", expected: `${expected} and names a host` };
  if (url.username !== "" || url.password !== "") {
    const hint = "secrets come from the environment only; set the url there";
    return { code: "secret-in-config", expected: "a url without user or password", hint };
  }
  if (url.search !== "" || url.hash !== "") return { code: "bad-url", expected: "a url without ? and #" };
  return null;
}

/** An endpoint or an action: a path below the service's url, with or without its leading slash. Null: fine. */
export function endpointProblem(written: string): Problem | null {
  const expected = "a path below the service's url, such as `/validate`";
  if (/^[a-z][a-z0-9+.-]*:/i.test(written) || written.startsWith("//")) {
    return { code: "bad-endpoint", expected, hint: "the host belongs in the service's url" };
  }
  if (written.includes("?") || written.includes("#"))
    return { code: "bad-endpoint", expected: `${expected}, without ? and #` };
  if (!/^\/?[A-Za-z0-9._~!$&'()*+,;=:@%/-]+$/.test(written) || /%(?![0-9a-f]{2})/i.test(written)) {
    return { code: "bad-endpoint", expected: `${expected}, of characters a path may have` };
  }
  let segments: string[];
  try {
    segments = decodeURIComponent(written).split("/");
  } catch {
    return { code: "bad-endpoint", expected: `${expected}, with valid % escapes` };
  }
  if (segments.some((segment) => segment === "." || segment === "..")) {
    return { code: "bad-endpoint", expected: `${expected}, without \`.\` and \`..\`` };
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for.
  if (/[\u0000-\u001f\u007f\\]/.test(decodeURIComponent(written)) || segments.slice(1, -1).includes("")) {
    return { code: "bad-endpoint", expected: `${expected}, without empty parts and control characters` };
  }
  return null;
}

/** `/reserve`, whether written with its slash or without. */
export const withLeadingSlash = (path: string): string => (path.startsWith("/") ? path : `/${path}`);

export function reportUrl(
  report: RuleInput["report"],
  path: Path,
  url: string | undefined,
  protocols: readonly string[],
): void {
  const problem = url === undefined ? null : urlProblem(url, protocols);
  if (problem === null || url === undefined) return;
  // A secret is not repeated on a terminal.
  const got = problem.code === "secret-in-config" ? "one with them" : shown(url);
  report({ path, got, ...problem });
}

/** What `database.url` may name in place of a server: a file, relative to the project or from the root. */
export const DATABASE_FILE = /^file:(\/?[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*)$/;

export const checkUrls: Rule = ({ config, report }) => {
  const { url } = config.database ?? {};
  if (url?.startsWith("file:") === true && !DATABASE_FILE.test(url)) {
    const expected = "`file:` and a path of letters, digits, `.`, `_` and `-`, without `..`";
    report({ code: "bad-url", path: ["database", "url"], expected, got: shown(url) });
  }
  reportUrl(report, ["redis", "url"], config.redis?.url, ["redis:", "rediss:"]);
  reportUrl(report, ["nats", "url"], config.nats?.url, ["nats:", "tls:"]);
  reportUrl(report, ["observability", "tracing"], config.observability?.tracing, ["http:", "https:"]);
};
