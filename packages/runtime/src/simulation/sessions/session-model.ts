import { deadline, isLive, isTouchDue } from "../../store/session-deadlines.js";
import type { SessionRecord } from "../../store/session-store.js";
import { judgeToken, rotateTokens, type SessionTokens } from "../../store/session-tokens.js";
import { hash } from "../../testing/session-store/world.js";
import type { SequentialModel } from "./linearize.js";
import { type Describe, type Lifetime, type SessionCall, seedFor } from "./session-call.js";

/**
 * What a store is to be for one caller at a time: the sessions of one subject, or a single one without a subject. Of the
 * store's rules it takes those that are pure and have tests of their own, deadlines and tokens; all else is written here once more.
 */
export interface ModelState {
  readonly now: number;
  /** By id; only those that were not ended. */
  readonly sessions: Readonly<Record<string, ModelSession>>;
}

export interface ModelSession {
  readonly id: string;
  readonly subject: string | null;
  readonly revision: number;
  readonly data: Readonly<Record<string, number>>;
  readonly createdAt: number;
  readonly touchedAt: number;
  readonly rotatedAt: number;
  readonly tokens: SessionTokens;
}

type Applied = ReturnType<SequentialModel<ModelState, SessionCall>["apply"]>;

export interface ModelOptions extends Lifetime {
  /** The store's clock at the start. */
  readonly now: number;
  readonly describe: Describe;
}

export function sessionModel({
  now,
  describe,
  idleMs,
  absoluteMs,
}: ModelOptions): SequentialModel<ModelState, SessionCall> {
  const expiresAt = ({ createdAt, touchedAt }: ModelSession): number =>
    deadline(touchedAt, idleMs, createdAt + absoluteMs);
  const isAlive = (session: ModelSession, at: number): boolean => isLive({ expiresAt: expiresAt(session) }, at);
  const shown = (session: ModelSession, more: { readonly seed?: string; readonly data?: object } = {}): string => {
    const { tokens: _tokens, ...head } = session;
    const absent = { kind: "login", signIn: null, device: null, owner: null } as const;
    const deadlines = { idleMs, absoluteExpiresAt: session.createdAt + absoluteMs, expiresAt: expiresAt(session) };
    return describe({ ...head, ...absent, ...deadlines, ...more } as SessionRecord);
  };
  const put = (state: ModelState, session: ModelSession, answer: string): Applied => ({
    state: { ...state, sessions: { ...state.sessions, [session.id]: session } },
    answer,
  });

  const create = (state: ModelState, call: SessionCall & { readonly kind: "create" }): Applied => {
    const { id, subject, token, field, limit } = call;
    const live = Object.values(state.sessions).filter((session) => isAlive(session, state.now));
    if (live.some((session) => session.id === id)) return { state, answer: "exists" };
    const rivals = live.filter((session) => subject !== null && session.subject === subject).sort(newestFirst);
    const evicted = limit === null ? [] : rivals.slice(limit.max - 1).map((session) => session.id);
    if (evicted.length > 0 && limit?.policy === "deny") return { state, answer: "limit-reached" };
    const times = { createdAt: state.now, touchedAt: state.now, rotatedAt: state.now };
    const tokens = { current: hash(token), previous: null, retired: [] };
    const session: ModelSession = { id, subject, revision: 1, data: { [field]: 0 }, ...times, tokens };
    return put(without(state, evicted), session, `${shown(session)} evicted ${evicted.sort().join()}`);
  };

  return {
    initial: { now, sessions: {} },
    key: ({ now: at, sessions }) =>
      JSON.stringify([at, Object.values(sessions).sort((a, b) => (a.id < b.id ? -1 : 1))]),
    apply(state, call) {
      if (call.kind === "advance") return { state: { ...state, now: state.now + call.ms }, answer: "advanced" };
      if (call.kind === "create") return create(state, call);
      if (call.kind === "revokeSubject") {
        const ofSubject = Object.values(state.sessions).filter(
          (session) => session.subject === call.subject && session.id !== call.except && isAlive(session, state.now),
        );
        const ids = ofSubject.map(({ id }) => id);
        return { state: ids.length === 0 ? state : without(state, ids), answer: `ended ${ids.length}` };
      }
      const stored = state.sessions[call.id];
      const session = stored && isAlive(stored, state.now) ? stored : undefined;
      const touched = (of: ModelSession): ModelSession => ({ ...of, touchedAt: Math.max(of.touchedAt, state.now) });
      if (call.kind === "loadById") return { state, answer: session ? shown(session) : "none" };
      if (call.kind === "revoke") {
        if (!session) return { state, answer: "none" };
        return { state: without(state, [session.id]), answer: shown(session) };
      }
      if (call.kind === "commit") {
        if (!session) return { state, answer: "not-found" };
        if (call.revision !== null && call.revision !== session.revision) return { state, answer: "moved" };
        const kept = Object.entries(session.data).filter(([key]) => !call.unset.includes(key));
        const data = sorted({ ...Object.fromEntries(kept), ...call.set });
        const committed = { ...touched(session), revision: session.revision + 1, data };
        return put(state, committed, shown(committed, call.head ? { data: {} } : {}));
      }
      const verdict =
        session && judgeToken(session.tokens, hash(call.kind === "load" ? call.token : call.from), state.now);
      if (!session || !verdict || verdict.kind === "unknown")
        return { state, answer: call.kind === "load" ? "none" : "not-found" };
      if (verdict.kind === "reused") return { state: without(state, [session.id]), answer: "reused" };
      const seed = verdict.kind === "grace" ? verdict.seed : undefined;
      if (call.kind === "load") {
        const isDue = call.touch && isTouchDue({ touchedAt: session.touchedAt, idleMs }, state.now);
        const loaded = isDue ? touched(session) : session;
        const answer = shown(loaded, seed === undefined ? {} : { seed });
        return isDue ? put(state, loaded, answer) : { state, answer };
      }
      if (seed !== undefined) return { state, answer: `${shown(session)} by ${seed}` };
      const { from, to, graceMs } = call;
      const change = { oldTokenHash: hash(from), newTokenHash: hash(to), seed: seedFor(to), graceMs };
      const tokens = rotateTokens(session.tokens, change, state.now);
      const rotated = { ...touched(session), tokens, rotatedAt: state.now };
      return put(state, rotated, `${shown(rotated)} by ${seedFor(to)}`);
    },
  };
}

function without(state: ModelState, ids: readonly string[]): ModelState {
  const sessions = Object.fromEntries(Object.entries(state.sessions).filter(([id]) => !ids.includes(id)));
  return { ...state, sessions };
}

function newestFirst(a: ModelSession, b: ModelSession): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}

function sorted(data: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
}
