/** Urls and paths a config may name: where a service is, and what is called below it. */
import { type DiagnosticCode, shown } from "../../diagnostics.js";
import type { Path } from "../node.js";
import type { Rule, RuleInput } from "./rule.js";

interface Problem {
  readonly code: DiagnosticCode;
  readonly expected: string;
  readonly hint?: string;
}

/** What a url may have beside its host and path. */
interface Allowance {
  readonly user?: boolean;
  readonly query?: boolean;
}

/** Null: fine. */
function urlProblem(written: string, protocols: readonly string[], { user, query }: Allowance): Problem | null {
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
  if ((url.username !== "" && user !== true) || url.password !== "" || url.searchParams.has("password")) {
    const hint = "secrets come from the environment only; set the url there";
    const without = user === true ? "password" : "user or password";
    return { code: "secret-in-config", expected: `a url without ${without}`, hint };
  }
  if (url.hash !== "" || (url.search !== "" && query !== true)) {
    return { code: "bad-url", expected: query === true ? "a url without #" : "a url without ? and #" };
  }
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

/** False: there is something against it, and that has been said. */
export function reportUrl(
  report: RuleInput["report"],
  path: Path,
  url: string | undefined,
  protocols: readonly string[],
  allowance: Allowance = {},
): boolean {
  const problem = url === undefined ? null : urlProblem(url, protocols, allowance);
  if (problem === null || url === undefined) return true;
  // A secret is not repeated on a terminal.
  const got = problem.code === "secret-in-config" ? "one with them" : shown(url);
  report({ path, got, ...problem });
  return false;
}

export const checkUrls: Rule = ({ config, report }) => {
  reportUrl(report, ["nats", "url"], config.nats?.url, ["nats:", "tls:"]);
  reportUrl(report, ["observability", "tracing"], config.observability?.tracing, ["http:", "https:"]);
};
