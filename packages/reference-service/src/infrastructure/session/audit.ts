import type { SessionEvent, SessionListener } from "@clean-arch/runtime";
import type { Logger } from "../../application/ports/logger.js";

/** As much of a client's own words as a line keeps. */
const MAX_TEXT = 256;

/**
 * An audit line for everything that happens to sessions, `audit: true`, for whoever collects them. A session's id opens
 * nothing, and no event holds a token.
 */
export function auditSessions(logger: Logger): SessionListener {
  return (event) => {
    const { kind, at, origin, ...facts } = event;
    const line = {
      audit: true,
      event: kind,
      ...mapKeys(facts),
      ...(origin.ip === undefined ? {} : { ip: printable(origin.ip) }),
      ...(origin.userAgent === undefined ? {} : { user_agent: printable(origin.userAgent) }),
      at: isoTime(at),
    };
    logger[LEVELS[kind] ?? "info"](line, MESSAGES[kind]);
  };
}

const LEVELS: Readonly<Partial<Record<SessionEvent["kind"], "warn">>> = {
  reused: "warn",
  "all-revoked": "warn",
  guessing: "warn",
};

const MESSAGES: Readonly<Record<SessionEvent["kind"], string>> = {
  created: "a session began",
  "signed-in": "a subject signed in",
  "stepped-up": "a subject proved itself anew",
  rotated: "a session's token was exchanged",
  reused: "a token that had been exchanged was used again: somebody has a copy, and the session was revoked",
  revoked: "a session was revoked",
  evicted: "a session made room for a newer one of its subject",
  expired: "a session expired",
  "limit-reached": "a subject has as many sessions as it may have",
  "subject-revoked": "the sessions of a subject were revoked",
  "all-revoked": "all sessions were revoked",
  "unknown-token": "a token came that leads to no session",
  guessing: "a client tries tokens, and is refused for a while",
};

/** What the manager would say of each session stands in the lines above. */
export function withoutRemarks(logger: Logger): Logger {
  return {
    debug: (facts, message) => logger.debug(facts, message),
    info: (facts, message) => logger.debug(facts, message),
    warn: (facts, message) => logger.warn(facts, message),
    error: (facts, message) => logger.error(facts, message),
  };
}

/** As other lines spell their keys; text of others made printable. */
function mapKeys(facts: object): object {
  return Object.fromEntries(
    Object.entries(facts).map(([key, value]) => [
      NAMES[key] ?? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      typeof value === "string" ? printable(value) : key.endsWith("At") ? isoTime(value) : value,
    ]),
  );
}

const NAMES: Readonly<Record<string, string>> = { id: "session", session: "session_kind", formerId: "former_session" };

const isoTime = (ms: number): string => new Date(ms).toISOString();

/** No line break and no escape sequence of a client's reaches whatever shows the line. */
function printable(text: string): string {
  return text.slice(0, MAX_TEXT).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "\ufffd");
}
