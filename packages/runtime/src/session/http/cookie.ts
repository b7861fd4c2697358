import { RuntimeError } from "../../errors.js";
import { TOKEN_LENGTH } from "../token.js";

export interface CookieOptions {
  /**
   * The whole name, with its prefix. Default `__Host-session`, or `session` when not `secure`. A prefix is a promise that browsers keep,
   * and what contradicts it is refused: `__Host-` and `__Host-Http-` (RFC 6265bis, and the drafts after it) need `secure`,
   * path `/` and no domain; `__Secure-` and `__Http-` need `secure`.
   */
  readonly name?: string;
  /** Sent over TLS only. Default true. False is for development without TLS. */
  readonly secure?: boolean;
  /** Default `lax`. `none`, for pages embedded in other sites, needs `secure`. */
  readonly sameSite?: "strict" | "lax" | "none";
  /** Default: the host itself. Any other one gives the cookie to all hosts below it. */
  readonly domain?: string;
  /** Default `/`. */
  readonly path?: string;
  /** How long browsers keep it, ms, at most 400 days. Default: until they are closed. What a session's life is, the server decides. */
  readonly maxAgeMs?: number;
}

/** The one that carries a session's token. Always HttpOnly. */
export interface SessionCookie {
  readonly name: string;
  readonly secure: boolean;
  /** Its value in a request's header; `ambiguous` when it is there twice: one of them is somebody else's. */
  read(header: string): string | typeof AMBIGUOUS | undefined;
  /** For Set-Cookie. Throws `payload-too-large` beyond 4,096 bytes of name and value. */
  write(value: string): string;
  clear(): string;
}

export const AMBIGUOUS = Symbol("ambiguous");

const MAX_BYTES = 4_096;
const MAX_AGE_MS = 400 * 86_400_000;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What follows a prefix of these must not have been chosen by a host next door. */
const PREFIXES = [
  { prefix: "__Host-Http-", isHost: true },
  { prefix: "__Host-", isHost: true },
  { prefix: "__Secure-", isHost: false },
  { prefix: "__Http-", isHost: false },
] as const;
const SAME_SITE = { strict: "Strict", lax: "Lax", none: "None" } as const;

/** Error: `config-invalid`, naming the key. */
export function createSessionCookie(options: CookieOptions = {}): SessionCookie {
  const { secure = true, sameSite = "lax", domain, path = "/", maxAgeMs } = options;
  const name = options.name ?? (secure ? "__Host-session" : "session");
  checkName(name);
  checkPrefix(name, { secure, domain, path });
  if (!(sameSite in SAME_SITE)) refuse("sameSite", `"strict", "lax" or "none", got ${JSON.stringify(sameSite)}`);
  if (sameSite === "none" && !secure) refuse("sameSite", '"strict" or "lax" without secure, got "none"');
  if (!/^\/[^;\p{Cc}]*$/u.test(path)) refuse("path", `a path that begins with "/", got ${JSON.stringify(path)}`);
  if (domain !== undefined && !/^[A-Za-z0-9.-]+$/.test(domain))
    refuse("domain", `a host, got ${JSON.stringify(domain)}`);
  if (maxAgeMs !== undefined && !(maxAgeMs >= 1_000 && maxAgeMs <= MAX_AGE_MS))
    refuse("maxAgeMs", `1,000 to ${MAX_AGE_MS} (400 days), got ${maxAgeMs}`);
  const scope = `; Path=${path}${domain === undefined ? "" : `; Domain=${domain}`}`;
  const attributes = `${scope}; HttpOnly${secure ? "; Secure" : ""}; SameSite=${SAME_SITE[sameSite]}`;
  const lasting = maxAgeMs === undefined ? "" : `; Max-Age=${Math.floor(maxAgeMs / 1_000)}`;
  const start = `${name}=`;
  return {
    name,
    secure,
    read: (header) => readCookie(header, start),
    write(value) {
      const bytes = name.length + Buffer.byteLength(value);
      if (bytes <= MAX_BYTES) return start + value + attributes + lasting;
      const message = `expected a cookie of at most ${MAX_BYTES} bytes, name and value, got ${bytes}; browsers drop such ones`;
      throw new RuntimeError("payload-too-large", message, { what: "cookie", bytes, maxBytes: MAX_BYTES });
    },
    clear: () => `${start}${attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`,
  };
}

/**
 * Looks for `name=` where a cookie begins, and nowhere else; the case counts. Nothing is split or decoded: a token has no
 * character that needs it. On the way of every request.
 */
function readCookie(header: string, start: string): string | typeof AMBIGUOUS | undefined {
  const at = startOf(header, start, 0);
  if (at === -1) return undefined;
  const from = at + start.length;
  const semicolon = header.indexOf(";", from);
  if (semicolon === -1) return header.slice(from).trimEnd();
  return startOf(header, start, semicolon) === -1 ? header.slice(from, semicolon).trimEnd() : AMBIGUOUS;
}

function startOf(header: string, start: string, from: number): number {
  for (let at = header.indexOf(start, from); at !== -1; at = header.indexOf(start, at + 1)) {
    let before = at - 1;
    while (before >= 0 && (header[before] === " " || header[before] === "\t")) before -= 1;
    if (before < 0 || header[before] === ";") return at;
  }
  return -1;
}

function checkName(name: string): void {
  if (!NAME.test(name)) refuse("name", `a name of letters, digits and !#$%&'*+-.^_\`|~, got ${JSON.stringify(name)}`);
  if (name.length + TOKEN_LENGTH > MAX_BYTES)
    refuse("name", `at most ${MAX_BYTES - TOKEN_LENGTH} characters, got ${name.length}`);
}

interface Reach {
  readonly secure: boolean;
  readonly domain: string | undefined;
  readonly path: string;
}

function checkPrefix(name: string, { secure, domain, path }: Reach): void {
  // Browsers take prefixes in any case, and servers compare names exactly: one that differs would be protected by half.
  const found = PREFIXES.find(({ prefix }) => name.toLowerCase().startsWith(prefix.toLowerCase()));
  if (found === undefined) return;
  const { prefix, isHost } = found;
  if (!name.startsWith(prefix)) refuse("name", `the prefix written as ${prefix}, got ${JSON.stringify(name)}`);
  if (!secure)
    refuse("secure", `true with a name that begins with ${prefix}, got false; without TLS give it another name`);
  if (!isHost || (domain === undefined && path === "/")) return;
  const key = domain === undefined ? "path" : "domain";
  refuse(
    key,
    `no domain and path "/" with a name that begins with ${prefix}; name it __Secure-${name.slice(prefix.length)}`,
  );
}

function refuse(key: string, expected: string): never {
  throw new RuntimeError("config-invalid", `expected cookie.${key} to be ${expected}`, { key: `cookie.${key}` });
}
