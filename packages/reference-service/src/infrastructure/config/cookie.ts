import type { ConfigIssue } from "./config-error.js";
import type { AppSettings } from "./schema.js";

/** The cookie that a session's token travels in. */
export interface CookieSettings {
  readonly name: string;
  readonly sameSite: "strict" | "lax" | "none";
  readonly secure: boolean;
}

/** With it browsers take a cookie from this host alone, over TLS, for the path /: no subdomain can plant one. */
const HOST_PREFIX = "__Host-";
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
/** Browsers judge the beginnings of names whatever their case. */
const PREFIX = /^__(host|secure|http)-/i;

/** In production, or where the name or `SameSite=None` needs it, the cookie is Secure. */
export function resolveCookie(
  { session }: AppSettings,
  { production, sourceOf }: { readonly production: boolean; sourceOf(key: string): string },
  issues: ConfigIssue[],
): CookieSettings {
  const { name, same_site: sameSite } = session.cookie;
  const isHost = name.startsWith(HOST_PREFIX) && name.length > HOST_PREFIX.length;
  if (!NAME.test(name) || (PREFIX.test(name) && !isHost)) {
    const key = "session.cookie.name";
    const expected = `a cookie's name of at most 100 characters, without a prefix or with ${HOST_PREFIX}`;
    issues.push({ source: sourceOf(key), key, expected, got: JSON.stringify(name).slice(0, 60) });
  }
  return {
    name: production && !isHost ? `${HOST_PREFIX}${name}` : name,
    sameSite,
    secure: production || isHost || sameSite === "none",
  };
}
