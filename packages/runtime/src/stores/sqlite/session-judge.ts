import type { LoadedSession } from "../../store/session-store.js";
import { judgeToken, type SessionTokens, type Verdict } from "../../store/session-tokens.js";
import type { Database } from "./database.js";
import { decodeTokens, SESSION_COLUMNS, type SessionRow, toSessionRecord } from "./session-row.js";

/** A live session, and what the token is of it that somebody came with. */
export interface JudgedSession {
  readonly row: SessionRow;
  readonly tokens: SessionTokens;
  readonly verdict: Exclude<Verdict, { readonly kind: "unknown" }>;
}

const FIND = `select ${SESSION_COLUMNS} from clean_arch_sessions where id = ? and expires_at > ?`;

/** Undefined when there is none that lives. */
export function findSession(db: Database, id: string, now: number): SessionRow | undefined {
  return db.all<SessionRow>(FIND, [id, now])[0];
}

/** Undefined for an unknown token as for a dead session, and for a context. */
export function judgeSession(db: Database, id: string, tokenHash: string, now: number): JudgedSession | undefined {
  const row = findSession(db, id, now);
  const tokens = row && decodeTokens(row);
  if (!tokens) return undefined;
  const verdict = judgeToken(tokens, tokenHash, now);
  return verdict.kind === "unknown" ? undefined : { row, tokens, verdict };
}

export function toLoaded({ row, verdict }: JudgedSession): LoadedSession {
  const record = toSessionRecord(row);
  return verdict.kind === "grace" ? { ...record, seed: verdict.seed } : record;
}
