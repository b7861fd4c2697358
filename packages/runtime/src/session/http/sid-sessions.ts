import { createHash } from "node:crypto";
import { RuntimeError } from "../../errors.js";
import { type Json, stringify } from "../../json.js";
import { type Clock, systemPorts } from "../../ports.js";
import { sessionId } from "../../store/session-id.js";
import type { SessionDelta, SessionRecord, SessionStore } from "../../store/session-store.js";

/**
 * Sessions of other middlewares, which make their own ids ("sid", a secret) and hand over whole sessions. What they cannot say is kept
 * here: a session that was loaded has a baseline, and saving it writes only the top-level fields that differ from it. With a baseline
 * nothing is ever created, so what was destroyed while a request was under way stays dead; without one it is a new session.
 *
 * Loading touches, so a request that only reads costs one call of the store. The sid is stored as a SHA-256.
 */
export interface SidSessionOptions {
  /** Open before the first request. One of its own, or a prefix of its own: `all`, `length` and `clear` go through everything in it. */
  readonly store: SessionStore;
  /** Idle time of sessions whose cookie says none (`maxAge`), ms. Default 86,400,000 (a day). */
  readonly ttlMs?: number;
  /** No session lives longer, whatever its cookie says, ms. Default 2,592,000,000 (30 days; NIST SP 800-63B, AAL1). */
  readonly lifetimeMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** A session as its middleware has it, without its methods. */
export interface SidSession {
  readonly cookie: SidCookie;
  readonly [field: string]: unknown;
}

export interface SidCookie {
  readonly originalMaxAge?: number | null;
  readonly expires?: Date | string | null;
  readonly [attribute: string]: unknown;
}

/** What a session was when it was loaded or last saved. */
export interface Baseline {
  readonly id: string;
  readonly idleMs: number;
  /** By this process's clock. */
  readonly touchedAt: number;
  /** JSON of each field. */
  readonly texts: ReadonlyMap<string, string>;
}

/** express-session computes an age from two clocks: a millisecond more or less is no change. */
const SAME_AGE_MS = 1_000;
const PAGE = 200;

export class SidSessions {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #lifetimeMs: number;

  /** Error: `config-invalid`. */
  constructor(options: SidSessionOptions) {
    const { store, ttlMs = 86_400_000, lifetimeMs = 30 * 86_400_000, clock = systemPorts.clock } = options;
    for (const [key, value] of Object.entries({ ttlMs, lifetimeMs })) {
      if (Number.isSafeInteger(value) && value > 0) continue;
      throw new RuntimeError("config-invalid", `expected ${key} to be whole milliseconds above 0, got ${value}`, {
        key,
      });
    }
    this.#store = store;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#lifetimeMs = lifetimeMs;
  }

  /** Undefined: none, or one that this version cannot read. */
  async load(sid: string): Promise<{ readonly session: SidSession; readonly baseline: Baseline } | undefined> {
    const { id, hash } = placeOf(sid);
    const record = await this.#store.load(id, hash, { touch: true });
    if (record === undefined || "reused" in record) return undefined;
    const session = this.#readable(record);
    return session && { session, baseline: this.#baseline(record, textsOf(record.data)) };
  }

  /** Error: `session-not-found` when it ended since the baseline; `input-invalid`, `payload-too-large`, `store-unavailable`. */
  async save(sid: string, session: SidSession, baseline: Baseline | undefined): Promise<Baseline> {
    const texts = this.#textsOf(session, baseline);
    if (baseline !== undefined) return this.#update(baseline, texts);
    const { id, hash } = placeOf(sid);
    const { idleMs, absoluteMs } = this.#lifeOf(session.cookie);
    const data = Object.fromEntries([...texts].map(([field, text]) => [field, JSON.parse(text) as Json]));
    const whose = { id, kind: "login", tokenHash: hash, subject: null } as const;
    const created = await this.#store.create({ ...whose, data, idleMs, absoluteMs });
    if (typeof created !== "string") return this.#baseline(created.session, texts);
    // Saved twice at a time, or by somebody who never loaded it: it becomes what was given.
    const present = await this.#store.loadById(id);
    if (present === undefined) throw ended();
    return this.#update(this.#baseline(present, textsOf(present.data)), texts);
  }

  /** Moves the idle deadline, when that is due. One that has ended is none of its business. */
  async touch(sid: string, session: SidSession, baseline: Baseline | undefined): Promise<Baseline | undefined> {
    const cookie = baseline && this.#textsOf({ cookie: session.cookie }, baseline).get("cookie");
    if (baseline !== undefined && cookie !== undefined && cookie !== baseline.texts.get("cookie"))
      return this.#update(baseline, new Map([...baseline.texts, ["cookie", cookie]]));
    if (baseline !== undefined && !this.#isTouchDue(baseline)) return baseline;
    return (await this.load(sid))?.baseline;
  }

  async destroy(sid: string): Promise<void> {
    await this.#store.revoke(placeOf(sid).id);
  }

  /** Those that are live, newest first. */
  async *all(): AsyncGenerator<{ readonly id: string; readonly session: SidSession }> {
    let cursor: string | undefined;
    do {
      const page = await this.#store.list({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
      for (const record of page.items) {
        const session = this.#readable(record);
        if (session !== undefined) yield { id: record.id, session };
      }
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  async clear(): Promise<void> {
    for await (const { id } of this.all()) await this.#store.revoke(id);
  }

  async #update(baseline: Baseline, texts: ReadonlyMap<string, string>): Promise<Baseline> {
    const delta = deltaOf(baseline.texts, texts);
    if (delta === undefined && !this.#isTouchDue(baseline)) return baseline;
    const committed = await this.#store.commit(baseline.id, delta ?? {}, { returning: "head" });
    if (typeof committed !== "string") return { ...baseline, texts, touchedAt: this.#clock.now() };
    // Nothing was to be written, so nothing is lost.
    if (delta === undefined) return baseline;
    throw ended();
  }

  #isTouchDue({ idleMs, touchedAt }: Baseline): boolean {
    return this.#clock.now() - touchedAt >= idleMs / 10;
  }

  #baseline({ id, idleMs }: SessionRecord, texts: ReadonlyMap<string, string>): Baseline {
    return { id, idleMs, touchedAt: this.#clock.now(), texts };
  }

  #readable(record: SessionRecord): SidSession | undefined {
    const { cookie } = record.data;
    if (typeof cookie !== "object" || cookie === null || !("originalMaxAge" in cookie)) return undefined;
    const { originalMaxAge, expires } = cookie as SidCookie;
    if (expires && msUntil(expires, this.#clock.now()) <= 0) return undefined;
    if (typeof originalMaxAge !== "number" || expires) return { ...record.data, cookie };
    return { ...record.data, cookie: { ...cookie, expires: new Date(record.expiresAt).toISOString() } };
  }

  #lifeOf({ originalMaxAge, expires }: SidCookie): { readonly idleMs: number; readonly absoluteMs: number } {
    const untilMs =
      typeof originalMaxAge === "number" || !expires ? this.#lifetimeMs : msUntil(expires, this.#clock.now());
    const absoluteMs = Math.max(1, Math.min(this.#lifetimeMs, untilMs));
    const idleMs = typeof originalMaxAge === "number" ? Math.ceil(originalMaxAge) : this.#ttlMs;
    return { idleMs: Math.max(1, Math.min(idleMs, absoluteMs)), absoluteMs };
  }

  #textsOf(session: SidSession, baseline: Baseline | undefined): Map<string, string> {
    const texts = new Map<string, string>();
    for (const field of Object.keys(session)) {
      const value = field === "cookie" ? this.#storedCookie(session.cookie, baseline) : session[field];
      const text = stringify(value, () => `session field ${JSON.stringify(field)}`);
      if (text !== undefined) texts.set(field, text);
    }
    return texts;
  }

  /** Without what changes by itself. Error: `input-invalid` when it is to live longer than it can. */
  #storedCookie(cookie: SidCookie, baseline: Baseline | undefined): object {
    const plain = JSON.parse(JSON.stringify(cookie)) as SidCookie;
    const { expires, originalExpires: _derived, originalMaxAge = null, ...attributes } = plain;
    if (originalMaxAge === null) return { ...attributes, originalMaxAge, ...(expires && { expires }) };
    const before = baseline?.texts.get("cookie");
    const former: SidCookie = before === undefined ? {} : (JSON.parse(before) as SidCookie);
    const isSame = typeof former.originalMaxAge === "number" && isSameAge(former.originalMaxAge, originalMaxAge);
    const maxAge = isSame ? (former.originalMaxAge as number) : originalMaxAge;
    const stored = { ...attributes, originalMaxAge: maxAge };
    if (baseline === undefined || isSameAge(Math.min(maxAge, this.#lifetimeMs), baseline.idleMs)) return stored;
    if (maxAge > baseline.idleMs) {
      const message = `expected a maxAge of at most ${baseline.idleMs} ms, which the session began with, got ${maxAge}; regenerate() it first, as a sign-in has to`;
      throw new RuntimeError("input-invalid", message, { what: "cookie.maxAge" });
    }
    // The store knows the longer idle time only: the shorter one is kept, and moved, here.
    const now = this.#clock.now();
    const isMoved = isSame && former.expires && msUntil(former.expires, now) > maxAge * 0.9;
    return { ...stored, expires: isMoved ? former.expires : new Date(now + maxAge).toISOString() };
  }
}

function isSameAge(a: number, b: number): boolean {
  return Math.abs(a - b) < SAME_AGE_MS;
}

/** A sid is its middleware's secret; from what is stored nobody makes one. */
function placeOf(sid: string): { readonly id: string; readonly hash: string } {
  const digest = createHash("sha256").update("clean-arch sid place ").update(sid).digest();
  const hash = createHash("sha256").update("clean-arch sid secret ").update(sid).digest("hex");
  return { id: sessionId(null, digest.subarray(0, 15)), hash };
}

function textsOf(data: Readonly<Record<string, Json>>): Map<string, string> {
  return new Map(Object.entries(data).map(([field, value]) => [field, JSON.stringify(value)]));
}

function deltaOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): SessionDelta | undefined {
  const changed = [...after].filter(([field, text]) => before.get(field) !== text);
  const unset = [...before.keys()].filter((field) => !after.has(field));
  if (changed.length === 0 && unset.length === 0) return undefined;
  return { set: Object.fromEntries(changed.map(([field, text]) => [field, JSON.parse(text) as Json])), unset };
}

function msUntil(date: Date | string, now: number): number {
  return Math.ceil(new Date(date).valueOf() - now);
}

function ended(): RuntimeError {
  const message =
    "expected a live session to write to, got one that ended while the request was under way; nothing was written";
  return new RuntimeError("session-not-found", message);
}
