import { createHmac, timingSafeEqual } from "node:crypto";
import { RuntimeError } from "../../errors.js";
import type { Random } from "../../ports.js";
import { isSafe, oneHeader, type SessionRequest } from "./session-request.js";

export interface CsrfOptions<Request = SessionRequest> {
  /** Other origins whose pages may send unsafe requests, such as `https://app.example.com`. Default none. */
  readonly origins?: readonly string[];
  /** The header that carries `session.csrfToken`, in lower case. Default `x-csrf-token`. */
  readonly header?: string;
  /**
   * A header, in lower case, whose presence alone is proof: other sites' pages cannot set it unless CORS allows them to. Default
   * none.
   */
  readonly customHeader?: string;
  /** Requests that are not judged, such as a sign-in that an identity provider posts. Default none. */
  readonly exempt?: (request: Request) => boolean;
}

/**
 * Forged requests: a browser adds the cookie to what another site's page sends. An unsafe request with a cookie session must
 * say that it comes from a page of ours, by any of: Sec-Fetch-Site `same-origin` or `none`, which pages cannot set; an
 * Origin of ours, where the browser sends no Sec-Fetch-Site; the session's CSRF token. Error: `session-csrf`.
 */
export class CsrfGuard<Request extends SessionRequest> {
  readonly #origins: ReadonlySet<string>;
  readonly #header: string;
  readonly #customHeader: string | undefined;
  readonly #exempt: ((request: Request) => boolean) | undefined;
  readonly #secure: boolean;

  /** `secure`: that the cookie is, so that a page of ours has come over TLS. */
  constructor({ origins = [], header = "x-csrf-token", customHeader, exempt }: CsrfOptions<Request>, secure: boolean) {
    this.#origins = new Set(origins.map(originText));
    this.#header = header.toLowerCase();
    this.#customHeader = customHeader?.toLowerCase();
    this.#exempt = exempt;
    this.#secure = secure;
  }

  /** Before a request acts with the session of a cookie's token. */
  check(request: Request, token: string | null): void {
    if (isSafe(request)) return;
    const site = request.headers["sec-fetch-site"];
    if (site === "same-origin" || site === "none") return;
    const { origin } = request.headers;
    if (origin !== undefined && (this.#origins.has(origin) || (site === undefined && this.#isOurs(origin, request))))
      return;
    if (token !== null && isCsrfToken(oneHeader(request, this.#header), token)) return;
    if (this.#customHeader !== undefined && request.headers[this.#customHeader] !== undefined) return;
    if (this.#exempt?.(request)) return;
    throw forged(site, origin);
  }

  /**
   * Before an unsafe request begins a session: another site's page would have the browser signed in as somebody it chose. A
   * client that is no browser says nothing of where it comes from, and may.
   */
  checkBeginning(request: Request): void {
    if (request.headers["sec-fetch-site"] !== undefined || request.headers.origin !== undefined)
      this.check(request, null);
  }

  #isOurs(origin: string, { headers: { host } }: Request): boolean {
    if (host === undefined) return false;
    if (origin === `https://${host}`) return true;
    return origin === `http://${host}` && (!this.#secure || isLocal(host));
  }
}

const SALT_BYTES = 12;
const SALT_LENGTH = 16;

/**
 * A token for forms and scripts, bound to the session's own: whoever plants a cookie cannot make one. Salted anew at each call, so
 * that a compressed page does not give it away (BREACH). It ends when the session's token rotates.
 */
export function createCsrfToken(sessionToken: string, random: Random): string {
  const salt = Buffer.from(random.bytes(SALT_BYTES)).toString("base64url");
  return salt + mac(sessionToken, salt);
}

function isCsrfToken(given: string | undefined, sessionToken: string): boolean {
  if (given === undefined) return false;
  const salt = given.slice(0, SALT_LENGTH);
  const expected = Buffer.from(salt + mac(sessionToken, salt));
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}

function mac(sessionToken: string, salt: string): string {
  return createHmac("sha256", sessionToken).update(`clean-arch session csrf ${salt}`).digest("base64url");
}

function originText(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  const message = `expected csrf.origins to hold origins such as "https://app.example.com", got ${JSON.stringify(origin)}`;
  throw new RuntimeError("config-invalid", message, { key: "csrf.origins" });
}

function isLocal(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host);
}

function forged(site: unknown, origin: string | undefined): RuntimeError {
  const message =
    "expected an unsafe request with a session cookie to come from a page of this site (Sec-Fetch-Site, or Origin) or to carry the session's CSRF token; send it, or name the page's origin in csrf.origins";
  return new RuntimeError("session-csrf", message, { site: site ?? null, origin: origin ?? null });
}
