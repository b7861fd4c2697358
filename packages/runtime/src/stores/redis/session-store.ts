import { type Logger, silentLogger } from "../../log.js";
import { type Clock, systemPorts } from "../../ports.js";
import { encodeFields, MAX_DATA_BYTES, tooLarge } from "../../store/session-data.js";
import { checkPlace, isOfContext, isOfSubject, subjectTag, tagOf } from "../../store/session-id.js";
import * as contract from "../../store/session-store.js";
import { isSameHash } from "../../store/session-tokens.js";
import { createRedisConnection, type RedisConnection } from "./connection.js";
import type { RedisConnectionOptions } from "./driver.js";
import { epochKey, indexKey, Keys, keysOf, recordKey } from "./keys.js";
import { NearCache, type NearCacheCounts, type NearCacheOptions } from "./near-cache.js";
import { type ScriptName, Scripts } from "./scripts.js";
import { judgeServers, readServerSettings } from "./server-settings.js";
import { SessionBuckets } from "./session-buckets.js";
import {
  decodeRecord,
  decodeText,
  encodeNew,
  encodeProof,
  encodeSignInTime,
  encodeText,
  kindOf,
  type StoredSession,
} from "./session-record.js";
import { TouchHints } from "./touch-hints.js";

export interface RedisSessionStoreOptions extends RedisConnectionOptions {
  /** Told at each start what the servers' settings mean for sessions. Default: silent. */
  readonly logger?: Logger;
  /** By which this process knows when to touch; deadlines are judged by the servers'. Default: the system's. */
  readonly clock?: Clock;
  /** Before every key. Default `session:`. */
  readonly prefix?: string;
  /**
   * Keeps sessions in this process, so that most loads ask Redis nothing; what changes elsewhere is seen within `staleMs`. For a
   * single Redis, of which it takes a second connection. Default: off, and a change is seen by the next load.
   */
  readonly nearCache?: NearCacheOptions;
}

export interface RedisSessions extends contract.SessionStore {
  /** Null without a near cache. */
  nearCacheCounts(): NearCacheCounts | null;
}

/**
 * Sessions in Redis 7.0 or newer, or in a Redis Cluster, shared by every process with the same `prefix`. What survives a
 * crash of the server is a matter of its settings: docs/guides/operating.md.
 */
export function createRedisSessionStore(options: RedisSessionStoreOptions): RedisSessions {
  const { clock = systemPorts.clock, logger = silentLogger, prefix = "session:", nearCache } = options;
  const connection = createRedisConnection(options);
  return new RedisSessionStore(connection, {
    ...{ keys: new Keys(prefix), scripts: new Scripts(), hints: new TouchHints(clock), logger },
    ...(nearCache && {
      near: new NearCache({ ...nearCache, connection, connectionOptions: options, clock, logger }),
    }),
  });
}

interface Parts {
  readonly keys: Keys;
  readonly scripts: Scripts;
  readonly hints: TouchHints;
  readonly logger: Logger;
  readonly near?: NearCache;
}

/** A load is nothing, with a near cache that knows; else one read, or one script when a touch may be due; every change is one script, on the keys of one bucket. */
export class RedisSessionStore implements RedisSessions {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #scripts: Scripts;
  readonly #hints: TouchHints;
  readonly #buckets: SessionBuckets;
  readonly #logger: Logger;
  readonly #near: NearCache | undefined;
  #isOpen = false;

  constructor(connection: RedisConnection, { keys, scripts, hints, logger, near }: Parts) {
    this.#near = near;
    this.#logger = logger;
    this.#connection = connection;
    this.#keys = keys;
    this.#scripts = scripts;
    this.#hints = hints;
    this.#buckets = new SessionBuckets({
      ...{ bases: keys.bases, read: (ids) => Promise.all(ids.map((id) => this.#readRecord(id))) },
      run: (name, keys, args) => connection.run(scripts.get(name), keys, args),
      revoke: async (id) => (await this.revoke(id)) !== undefined,
    });
  }

  async open(): Promise<void> {
    if (this.#isOpen) return;
    await this.#connection.open();
    try {
      judgeServers((await this.#connection.reports()).map(readServerSettings), this.#logger);
      await this.#near?.open();
      this.#isOpen = true;
    } catch (error) {
      this.#near?.close();
      await this.#connection.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#near?.close();
    await this.#connection.close();
  }

  nearCacheCounts(): NearCacheCounts | null {
    return this.#near?.counts() ?? null;
  }

  async ping(): Promise<void> {
    await this.#connection.get(recordKey(this.#keys.base(""), ""));
  }

  async create(session: contract.NewSession): Promise<contract.CreatedSession | "exists" | "limit-reached"> {
    const { id, kind, subject } = session;
    checkPlace(id, subject);
    const args = encodeNew(session, encodeFields(kind, session.data), newEpoch());
    const [outcome, text, ...evicted] = await this.#run<string[]>("create", id, args);
    if (outcome === "exists" || outcome === "limit-reached") return outcome;
    for (const other of evicted) this.#near?.forget(this.#places(other).record);
    return {
      session: this.#changed(id, text as string),
      evicted: evicted.map((other) => ({ id: other, kind: "login", subject })),
    };
  }

  async load(
    id: string,
    tokenHash: string,
    { touch }: contract.LoadOptions,
  ): Promise<contract.LoadedSession | contract.ReusedToken | undefined> {
    if (touch && this.#hints.isDue(id)) return this.#judge(id, tokenHash, true);
    const stored = this.#known(id) ?? (await this.#read(id));
    if (stored === undefined) return undefined;
    // Another token than the current one: its grace, or that it was used again, is judged by the store's clock.
    return isSameHash(stored.tokenHash, tokenHash) ? stored.record(id) : this.#judge(id, tokenHash, touch);
  }

  async loadById(id: string): Promise<contract.SessionRecord | undefined> {
    return this.#known(id)?.record(id) ?? this.#readRecord(id);
  }

  async commit(
    id: string,
    delta: contract.SessionDelta,
    { revision, returning, owner }: contract.CommitOptions = {},
  ): Promise<contract.SessionRecord | "not-found" | "moved"> {
    // The kind is the stored session's, so the script has the last word on the size.
    const set = encodeFields("context", delta.set ?? {});
    const unset = (delta.unset ?? []).map((key) => JSON.stringify(key));
    const [outcome, answer] = await this.#run<[string, string | number]>("commit", id, [
      ...[revision === undefined ? "-" : String(revision), encodeText(owner)],
      ...[String(MAX_DATA_BYTES.login), String(MAX_DATA_BYTES.context), returning === "head" ? "0" : "1"],
      ...[String(unset.length), String(set.length), ...unset],
      ...set.flatMap(([key, value]) => [key, `${key}:${value}`]),
    ]);
    if (outcome === "not-found" || outcome === "moved") return outcome;
    if (outcome === "too-large") throw tooLarge(isOfContext(id) ? "context" : "login", Number(answer));
    return this.#changed(id, answer as string);
  }

  async rotate(
    id: string,
    { oldTokenHash, newTokenHash, seed, graceMs, signIn }: contract.Rotation,
  ): Promise<contract.RotatedSession | contract.ReusedToken | "not-found"> {
    const [outcome, text, other] = await this.#run<string[]>("rotate", id, [
      ...[oldTokenHash, newTokenHash, seed, String(graceMs), encodeSignInTime(signIn)],
      ...[encodeProof(signIn), String(contract.MAX_RETIRED)],
    ]);
    if (outcome === "not-found") return outcome;
    if (outcome === "reused") return { reused: ended(id, text, other) };
    return { session: this.#changed(id, text as string), seed: other as string };
  }

  async revoke(id: string): Promise<contract.SessionRecord | undefined> {
    const text = await this.#run<string | null>("revoke", id, []);
    return text === null ? undefined : decodeRecord(text).record(id);
  }

  async revokeSubject(subject: string, except?: string): Promise<number> {
    const base = this.#keys.baseOfSubject(subject);
    const tag = subjectTag(subject);
    const keys = [epochKey(base, tag), indexKey(base, tag), `${base}l`, `${base}d`];
    const args = [base, tag, except ?? "-", newEpoch()];
    const run = () => this.#connection.run(this.#scripts.get("revoke-subject"), keys, args);
    return Number(await this.#change(epochKey(base, tag), run));
  }

  revokeAll(): Promise<number> {
    return this.#change(null, () => this.#buckets.revokeAll());
  }

  list(query: contract.SessionQuery): Promise<contract.SessionPage> {
    const { subject } = query;
    return this.#buckets.list(query, subject === undefined ? undefined : this.#keys.baseOfSubject(subject));
  }

  sweep(limit: number, claimMs: number): Promise<contract.ExpiredSession[]> {
    return this.#buckets.sweep(limit, claimMs);
  }

  settle(expired: readonly contract.ExpiredSession[]): Promise<void> {
    return this.#buckets.settle(expired, (id) => this.#keys.base(id));
  }

  renewOwner(owner: string, leaseMs: number, limit: number): Promise<contract.RenewedOwner> {
    return this.#buckets.renewOwner(owner, leaseMs, limit);
  }

  retireOwner(owner: string): Promise<void> {
    return this.#buckets.retireOwner(owner);
  }

  owners(): Promise<contract.SessionOwner[]> {
    return this.#buckets.owners();
  }

  /** A live session that the near cache knows. */
  #known(id: string): StoredSession | undefined {
    if (this.#near === undefined || !this.#isOpen) return undefined;
    const { record, epoch } = this.#places(id);
    return this.#near.find(record, epoch);
  }

  async #readRecord(id: string): Promise<contract.SessionRecord | undefined> {
    return (await this.#read(id))?.record(id);
  }

  /** A live session, from Redis. Its subject's epoch comes in the same command. */
  async #read(id: string): Promise<StoredSession | undefined> {
    const places = this.#places(id);
    const kept = this.#near?.reading(places.record, places.epoch);
    const [text = null, epoch = null] = isOfContext(id)
      ? [await this.#connection.get(places.record)]
      : await this.#connection.mget(places.epoch === undefined ? [places.record] : [places.record, places.epoch]);
    kept?.answered(text, epoch);
    if (text === null) return undefined;
    const stored = decodeRecord(text);
    return stored.epoch === "-" || stored.epoch === epoch ? stored : undefined;
  }

  #places(id: string): { readonly record: string; readonly epoch: string | undefined } {
    const base = this.#keys.base(id);
    return { record: recordKey(base, id), epoch: isOfSubject(id) ? epochKey(base, tagOf(id)) : undefined };
  }

  async #judge(
    id: string,
    tokenHash: string,
    touch: boolean,
  ): Promise<contract.LoadedSession | contract.ReusedToken | undefined> {
    const answer = await this.#run<string[] | null>("load", id, [tokenHash, touch ? "1" : "0"]);
    if (answer === null) return undefined;
    const [verdict, text, now, seed] = answer;
    if (verdict === "reused") return { reused: ended(id, text, now) };
    const stored = decodeRecord(text as string);
    this.#hints.note(id, stored, Number(now));
    const record = stored.record(id);
    return seed === undefined ? record : { ...record, seed };
  }

  async #run<Answer>(name: ScriptName, id: string, args: readonly string[]): Promise<Answer> {
    const base = this.#keys.base(id);
    const run = () => this.#connection.run(this.#scripts.get(name), keysOf(base, id), [base, id, ...args]);
    return (await this.#change(recordKey(base, id), run)) as Answer;
  }

  /** A change is activity: nothing is to be touched for a while. Touched at the latest now, so the hint is never too late. */
  #changed(id: string, text: string): contract.SessionRecord {
    const stored = decodeRecord(text);
    this.#hints.note(id, stored, stored.touchedAt);
    return stored.record(id);
  }

  /** Null: of all keys. */
  #change<Answer>(key: string | null, change: () => Promise<Answer>): Promise<Answer> {
    return this.#near === undefined ? change() : this.#near.changing(key, change);
  }
}

function ended(id: string, kind = "l", subject = "-"): contract.EndedSession {
  return { id, kind: kindOf(kind), subject: decodeText(subject) };
}

/** Unlike every other one, so that a lost epoch never comes back as an old one. */
function newEpoch(): string {
  return Buffer.from(systemPorts.random.bytes(9)).toString("base64url");
}
