import { RuntimeError } from "../../errors.js";
import { type Clock, systemPorts } from "../../ports.js";
import { decodeSessionCursor, encodeSessionCursor } from "../../store/session-cursor.js";
import { applyDelta } from "../../store/session-data.js";
import { isLive, isTouchDue } from "../../store/session-deadlines.js";
import { checkPlace } from "../../store/session-id.js";
import type * as contract from "../../store/session-store.js";
import { judgeToken, rotateTokens } from "../../store/session-tokens.js";
import { signInOf } from "../../store/sign-in.js";
import { newEntry, newestFirst, type SessionEntry, toEnded, toRecord, touched } from "./session-entry.js";

export interface MemorySessionStoreOptions {
  /** The store's clock. Default: the system's. */
  readonly clock?: Clock;
  /** Sessions held at most, expired ones that were not settled yet included; beyond it `create` throws `overloaded`. Default 100,000. */
  readonly maxSessions?: number;
}

/** Sessions of one process, for tests and development. They end with the process. */
export function createMemorySessionStore(options: MemorySessionStoreOptions = {}): contract.SessionStore {
  return new MemorySessionStore(options.clock ?? systemPorts.clock, options.maxSessions ?? 100_000);
}

/** One map holds the truth, and each call does its work in one turn of the event loop: that is what makes it atomic. */
class MemorySessionStore implements contract.SessionStore {
  readonly #clock: Clock;
  readonly #maxSessions: number;
  readonly #entries = new Map<string, SessionEntry>();
  /** When the lease of each owner ends. */
  readonly #owners = new Map<string, number>();
  #isOpen = false;

  constructor(clock: Clock, maxSessions: number) {
    this.#clock = clock;
    this.#maxSessions = maxSessions;
  }

  async open(): Promise<void> {
    this.#isOpen = true;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  async ping(): Promise<void> {
    this.#now();
  }

  async create(session: contract.NewSession): Promise<contract.CreatedSession | "exists" | "limit-reached"> {
    const now = this.#now();
    checkPlace(session.id, session.subject);
    const entry = newEntry(session, now);
    if (this.#live(session.id, now)) return "exists";
    const tooMany = this.#beyondLimit(session, now);
    if (tooMany.length > 0 && session.limit?.policy === "deny") return "limit-reached";
    for (const { id } of [...tooMany, session]) this.#entries.delete(id);
    if (this.#entries.size >= this.#maxSessions) {
      const message = `expected at most ${this.#maxSessions} sessions in memory; raise maxSessions or use another store`;
      throw new RuntimeError("overloaded", message, { maxSessions: this.#maxSessions });
    }
    return { session: this.#put(entry), evicted: tooMany.map(toEnded) };
  }

  async load(
    id: string,
    tokenHash: string,
    { touch }: contract.LoadOptions,
  ): Promise<contract.LoadedSession | contract.ReusedToken | undefined> {
    const now = this.#now();
    const entry = this.#live(id, now);
    if (!entry?.tokens) return undefined;
    const verdict = judgeToken(entry.tokens, tokenHash, now);
    if (verdict.kind === "unknown") return undefined;
    if (verdict.kind === "reused") return this.#reused(entry);
    const record = touch && isTouchDue(entry, now) ? this.#put(touched(entry, now)) : toRecord(entry);
    return verdict.kind === "grace" ? { ...record, seed: verdict.seed } : record;
  }

  async loadById(id: string): Promise<contract.SessionRecord | undefined> {
    const entry = this.#live(id, this.#now());
    return entry && toRecord(entry);
  }

  async commit(
    id: string,
    delta: contract.SessionDelta,
    { revision, returning, owner }: contract.CommitOptions = {},
  ): Promise<contract.SessionRecord | "not-found" | "moved"> {
    const now = this.#now();
    const entry = this.#live(id, now);
    if (!entry) return "not-found";
    if (revision !== undefined && revision !== entry.revision) return "moved";
    const data = applyDelta(entry.kind, entry.data, delta);
    const owned = entry.kind === "context" && owner !== undefined ? { owner } : {};
    const record = this.#put({ ...touched(entry, now), data, revision: entry.revision + 1, ...owned });
    return returning === "head" ? { ...record, data: {} } : record;
  }

  async rotate(
    id: string,
    rotation: contract.Rotation,
  ): Promise<contract.RotatedSession | contract.ReusedToken | "not-found"> {
    const now = this.#now();
    const entry = this.#live(id, now);
    if (!entry?.tokens) return "not-found";
    const verdict = judgeToken(entry.tokens, rotation.oldTokenHash, now);
    if (verdict.kind === "unknown") return "not-found";
    if (verdict.kind === "reused") return this.#reused(entry);
    if (verdict.kind === "grace") return { session: toRecord(entry), seed: verdict.seed };
    const tokens = rotateTokens(entry.tokens, rotation, now);
    const signIn = signInOf(rotation.signIn, now) ?? entry.signIn;
    return { session: this.#put({ ...touched(entry, now), tokens, signIn, rotatedAt: now }), seed: rotation.seed };
  }

  async revoke(id: string): Promise<contract.SessionRecord | undefined> {
    const entry = this.#live(id, this.#now());
    if (entry) this.#entries.delete(id);
    return entry && toRecord(entry);
  }

  async revokeSubject(subject: string, except?: string): Promise<number> {
    return this.#revokeWhere((entry) => entry.subject === subject && entry.id !== except);
  }

  async revokeAll(): Promise<number> {
    return this.#revokeWhere(({ kind }) => kind === "login");
  }

  async list(query: contract.SessionQuery): Promise<contract.SessionPage> {
    const after = query.cursor === undefined ? undefined : decodeSessionCursor(query.cursor);
    const found = this.#allLive(this.#now())
      .filter((entry) => entry.kind === (query.kind ?? "login"))
      .filter((entry) => query.subject === undefined || entry.subject === query.subject)
      .filter((entry) => after === undefined || newestFirst(entry, after) > 0)
      .sort(newestFirst);
    const items = found.slice(0, query.limit).map(toRecord);
    const last = items.at(-1);
    return { items, nextCursor: last && found.length > items.length ? encodeSessionCursor(last) : null };
  }

  async sweep(limit: number, claimMs: number): Promise<contract.ExpiredSession[]> {
    const now = this.#now();
    const claimed: contract.ExpiredSession[] = [];
    for (const entry of this.#entries.values()) {
      if (claimed.length >= limit) break;
      if (isLive(entry, now) || now < entry.claimedUntil) continue;
      this.#entries.set(entry.id, { ...entry, claimedUntil: now + claimMs });
      claimed.push({ ...toEnded(entry), expiredAt: entry.expiresAt });
    }
    return claimed;
  }

  async settle(expired: readonly contract.ExpiredSession[]): Promise<void> {
    this.#now();
    for (const { id, expiredAt } of expired) {
      // Another session may have its id by now.
      if (this.#entries.get(id)?.expiresAt === expiredAt) this.#entries.delete(id);
    }
  }

  async renewOwner(owner: string, leaseMs: number, limit: number): Promise<contract.RenewedOwner> {
    const now = this.#now();
    // Each instance that ever was would stay otherwise.
    for (const [known, endsAt] of this.#owners) if (endsAt <= now) this.#owners.delete(known);
    this.#owners.set(owner, now + leaseMs);
    let owned = 0;
    let adopted = 0;
    for (const entry of this.#allLive(now)) {
      const adopts = adopted < limit && entry.owner !== null && !this.#isLeased(entry.owner, now);
      if (entry.owner !== owner && !adopts) continue;
      owned += 1;
      if (adopts) adopted += 1;
      this.#entries.set(entry.id, { ...touched(entry, now), owner });
    }
    return { owned, adopted };
  }

  async retireOwner(owner: string): Promise<void> {
    this.#now();
    this.#owners.delete(owner);
  }

  async owners(): Promise<contract.SessionOwner[]> {
    const now = this.#now();
    const contexts = new Map<string, number>();
    for (const { owner } of this.#allLive(now)) if (owner !== null) contexts.set(owner, (contexts.get(owner) ?? 0) + 1);
    const leased = [...this.#owners.keys()].filter((owner) => this.#isLeased(owner, now));
    return [...new Set([...leased, ...contexts.keys()])].sort().map((owner) => ({
      ...{ owner, leaseExpiresAt: this.#owners.get(owner) ?? 0, contexts: contexts.get(owner) ?? 0 },
    }));
  }

  #now(): number {
    if (this.#isOpen) return this.#clock.now();
    const message = "expected an open session store, got one that is closed; call open() first";
    throw new RuntimeError("store-unavailable", message);
  }

  #live(id: string, now: number): SessionEntry | undefined {
    const entry = this.#entries.get(id);
    return entry && isLive(entry, now) ? entry : undefined;
  }

  #allLive(now: number): SessionEntry[] {
    return [...this.#entries.values()].filter((entry) => isLive(entry, now));
  }

  /** The oldest of the subject's logins, as many as have to go for the new one. */
  #beyondLimit({ subject, limit }: contract.NewSession, now: number): SessionEntry[] {
    if (subject === null || limit === undefined) return [];
    const logins = this.#allLive(now).filter((entry) => entry.subject === subject && entry.kind === "login");
    return logins.sort(newestFirst).slice(limit.max - 1);
  }

  #isLeased(owner: string, now: number): boolean {
    return (this.#owners.get(owner) ?? 0) > now;
  }

  #put(entry: SessionEntry): contract.SessionRecord {
    this.#entries.set(entry.id, entry);
    return toRecord(entry);
  }

  #reused(entry: SessionEntry): contract.ReusedToken {
    this.#entries.delete(entry.id);
    return { reused: toEnded(entry) };
  }

  #revokeWhere(ends: (entry: SessionEntry) => boolean): number {
    const ended = this.#allLive(this.#now()).filter(ends);
    for (const { id } of ended) this.#entries.delete(id);
    return ended.length;
  }
}
