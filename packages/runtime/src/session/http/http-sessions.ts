import { RuntimeError } from "../../errors.js";
import { type Logger, silentLogger } from "../../log.js";
import { type Ports, systemPorts } from "../../ports.js";
import type { SessionManager } from "../manager.js";
import { SessionAudit } from "../session-audit.js";
import type { SessionListener } from "../session-events.js";
import { TOKEN_LENGTH } from "../token.js";
import { AMBIGUOUS, type CookieOptions, createSessionCookie, type SessionCookie } from "./cookie.js";
import { CsrfGuard, type CsrfOptions } from "./csrf.js";
import { GuessingLimiter, type GuessingOptions } from "./guessing.js";
import { originOf, type SessionRequest } from "./session-request.js";

export interface HttpSessionOptions<Request extends SessionRequest = SessionRequest> {
  /** Open before the first request. */
  readonly sessions: UsedSessions;
  /** The cookie that carries the token; false: none is read or set. */
  readonly cookie?: CookieOptions | false;
  /**
   * Whether `Authorization: Bearer <token>` is read as well; it goes before the cookie. New tokens of such sessions are told in a
   * response header. Default false.
   */
  readonly bearer?: boolean | BearerOptions;
  /** Guards cookie sessions against forged requests. Default on; false only when something else does. */
  readonly csrf?: CsrfOptions<Request> | false;
  /** Refuses clients that try tokens. Default on. */
  readonly guessing?: GuessingOptions<Request> | false;
  /**
   * What browsers are told to forget at a logout (Clear-Site-Data, over TLS only): `cookies` are those of the whole registrable domain,
   * other services' too. Default `["cookies", "storage"]`; `[]`: the session's cookie only.
   */
  readonly clearSiteData?: readonly ("cache" | "cookies" | "storage")[];
  /** Told of `guessing`; of what happens to sessions, the manager tells. Default: nobody. */
  readonly events?: SessionListener;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: the system's. */
  readonly ports?: Ports;
}

/** When they are opened and closed is not a request's business. */
export type UsedSessions = Omit<SessionManager, "open" | "close">;

export interface BearerOptions {
  /** In lower case. Default `session-token`. */
  readonly responseHeader?: string;
  /**
   * Whether bearer tokens are replaced at the age of `rotation.periodMs`, too; clients then have to look at that header in every answer, or
   * they are logged out. Default true.
   */
  readonly rotate?: boolean;
}

export type Transport = "cookie" | "bearer";

export interface Presented {
  /** Null: the cookie is there twice, so none of them is taken. */
  readonly token: string | null;
  readonly transport: Transport;
}

/** What all requests share: how a token travels, and what is asked of a request that brings one. */
export class HttpSessions<Request extends SessionRequest = SessionRequest> {
  readonly manager: UsedSessions;
  readonly cookie: SessionCookie | null;
  /** Null: bearer tokens are not read. */
  readonly tokenHeader: string | null;
  readonly #doBearersRotate: boolean;
  readonly csrf: CsrfGuard<Request> | null;
  readonly clearSiteData: string;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly #guessing: GuessingLimiter<Request> | null;
  readonly #audit: SessionAudit;

  /** Error: `config-invalid`. */
  constructor(options: HttpSessionOptions<Request>) {
    const { sessions, cookie, bearer = false, csrf = {}, guessing = {}, events } = options;
    const { clearSiteData = ["cookies", "storage"], logger = silentLogger, ports = systemPorts } = options;
    this.manager = sessions;
    this.cookie = cookie === false ? null : createSessionCookie(cookie);
    this.tokenHeader = bearer === false ? null : tokenHeaderOf(bearer === true ? {} : bearer);
    this.#doBearersRotate = typeof bearer === "boolean" || bearer.rotate !== false;
    if (this.cookie === null && this.tokenHeader === null) {
      const message = "expected cookie or bearer, got neither: no request would have a session";
      throw new RuntimeError("config-invalid", message, { key: "bearer" });
    }
    this.csrf = csrf === false || this.cookie === null ? null : new CsrfGuard(csrf, this.cookie.secure);
    this.#guessing = guessing === false ? null : new GuessingLimiter(guessing, ports.clock);
    this.clearSiteData = clearSiteData.map((what) => `"${what}"`).join(", ");
    this.#audit = new SessionAudit(events, logger, ports.clock);
    this.ports = ports;
    this.logger = logger;
  }

  /** The token that a request brings, from where it is declared to travel and nowhere else. */
  presented({ headers }: SessionRequest): Presented | null {
    if (this.tokenHeader !== null && headers.authorization !== undefined) {
      const token = bearerToken(headers.authorization);
      if (token !== undefined) return { token, transport: "bearer" };
    }
    if (this.cookie === null || headers.cookie === undefined) return null;
    const token = this.cookie.read(headers.cookie);
    if (token === undefined) return null;
    return { token: token === AMBIGUOUS ? null : token, transport: "cookie" };
  }

  /** Whether a token that travels so is replaced when it is old. */
  doesRotate(transport: Transport): boolean {
    return transport === "cookie" || this.#doBearersRotate;
  }

  /** How a new session's token travels. */
  get defaultTransport(): Transport {
    return this.cookie === null ? "bearer" : "cookie";
  }

  /** A token led nowhere. Throws `session-guessing` when its client brings too many of them. */
  countUnknown(request: Request, token: string): void {
    const excess = this.#guessing?.count(request, token);
    if (excess === undefined) return;
    const { perMinute, retryAfterMs, isFirst } = excess;
    // Once per minute and client: the trail is not the guesser's to fill.
    if (isFirst) this.#audit.tell({ kind: "guessing", unknown: perMinute + 1 }, originOf(request));
    const message = `expected at most ${perMinute} unknown session tokens of one client in a minute, got more; wait`;
    throw new RuntimeError("session-guessing", message, { perMinute, retryAfterMs });
  }
}

/** What cannot be one of ours (another scheme, an API key) is somebody else's to read. */
function bearerToken(authorization: string): string | undefined {
  const at = authorization.length - TOKEN_LENGTH;
  const isOurs =
    at > 6 && authorization.slice(0, at).trimEnd().toLowerCase() === "bearer" && authorization[at - 1] === " ";
  return isOurs ? authorization.slice(at) : undefined;
}

function tokenHeaderOf({ responseHeader = "session-token" }: BearerOptions): string {
  if (/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(responseHeader)) return responseHeader;
  const message = `expected bearer.responseHeader to be the name of a header in lower case, got ${JSON.stringify(responseHeader)}`;
  throw new RuntimeError("config-invalid", message, { key: "bearer.responseHeader" });
}
