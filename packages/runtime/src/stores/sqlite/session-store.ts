import { RuntimeError } from "../../errors.js";
import { type Clock, systemPorts } from "../../ports.js";
import { decodeSessionCursor, encodeSessionCursor } from "../../store/session-cursor.js";
import { applyDelta } from "../../store/session-data.js";
import { checkPlace } from "../../store/session-id.js";
import type * as contract from "../../store/session-store.js";
import { rotateTokens } from "../../store/session-tokens.js";
import { signInOf } from "../../store/sign-in.js";
import { type Database, openDatabase, type SqlValue } from "./database.js";
import { migrate } from "./migrate.js";
import { findSession, judgeSession, toLoaded } from "./session-judge.js";
import { knowOwner, listOwners, renewOwner, retireOwner } from "./session-owners.js";
import {
  ENDED_COLUMNS,
  encodeSignIn,
  encodeTokens,
  HEAD_COLUMNS,
  isRowTouchDue,
  newSessionValues,
  SESSION_COLUMNS,
  type SessionRow,
  TOUCH,
  toEnded,
  toSessionRecord,
} from "./session-row.js";
import { SESSION_MIGRATIONS } from "./session-schema.js";
import { settleSessions, sweepSessions } from "./session-sweep.js";

export interface SqliteSessionStoreOptions {
  /** Path of the file; it may hold other stores' tables too. */
  readonly file: string;
  /** The store's clock: the processes that share a file share a machine, so the process's own will do. Default: the system's. */
  readonly clock?: Clock;
}

/** Sessions in an SQLite file: they survive restarts and are shared by the processes that open the file. */
export function createSqliteSessionStore(options: SqliteSessionStoreOptions): contract.SessionStore {
  return new SqliteSessionStore(options.file, options.clock ?? systemPorts.clock);
}

const INSERT = `insert into clean_arch_sessions (${SESSION_COLUMNS}) values (${SESSION_COLUMNS.replaceAll(/\w+/g, "?")}) returning ${SESSION_COLUMNS}`;
const DELETE = "delete from clean_arch_sessions where id = ?";
/** All of a subject's logins but the newest, as many of those as the offset says. */
const OLDEST = `
select ${ENDED_COLUMNS} from clean_arch_sessions where subject = ? and kind = 'login' and expires_at > ?
order by created_at desc, id desc limit -1 offset ?`;

/** Each call is one statement, or one transaction that holds the file's write lock from its start. */
class SqliteSessionStore implements contract.SessionStore {
  readonly #file: string;
  readonly #clock: Clock;
  #opened: Database | undefined;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  async open(): Promise<void> {
    if (this.#opened) return;
    const db = openDatabase(this.#file);
    try {
      migrate(db, "sessions", SESSION_MIGRATIONS, this.#clock.now());
    } catch (error) {
      db.close();
      throw error;
    }
    this.#opened = db;
  }

  async close(): Promise<void> {
    this.#opened?.close();
    this.#opened = undefined;
  }

  async ping(): Promise<void> {
    this.#db.all("select id from clean_arch_sessions limit 1");
  }

  async create(session: contract.NewSession): Promise<contract.CreatedSession | "exists" | "limit-reached"> {
    const { id, subject, limit } = session;
    checkPlace(id, subject);
    return this.#transaction((db, now) => {
      const values = newSessionValues(session, now);
      if (findSession(db, id, now)) return "exists";
      const isLimited = limit !== undefined && subject !== null;
      const tooMany = isLimited ? db.all<contract.EndedSession>(OLDEST, [subject, now, limit.max - 1]) : [];
      if (tooMany.length > 0 && limit?.policy === "deny") return "limit-reached";
      for (const dead of [...tooMany, session]) db.run(DELETE, [dead.id]);
      const created = this.#write(INSERT, values);
      if (created.owner !== null) knowOwner(db, created.owner);
      return { session: created, evicted: tooMany.map(toEnded) };
    });
  }

  async load(
    id: string,
    tokenHash: string,
    { touch }: contract.LoadOptions,
  ): Promise<contract.LoadedSession | contract.ReusedToken | undefined> {
    const now = this.#clock.now();
    const read = judgeSession(this.#db, id, tokenHash, now);
    if (!read) return undefined;
    if (read.verdict.kind !== "reused" && !(touch && isRowTouchDue(read.row, now))) return toLoaded(read);
    // Judged anew under the lock: another process may have written before it was ours.
    return this.#transaction((db, at) => {
      const judged = judgeSession(db, id, tokenHash, at);
      if (!judged) return undefined;
      if (judged.verdict.kind === "reused") return this.#endReused(db, judged.row);
      if (!touch || !isRowTouchDue(judged.row, at)) return toLoaded(judged);
      const [row] = db.all<SessionRow>(
        `update clean_arch_sessions set ${TOUCH} where id = ? returning ${SESSION_COLUMNS}`,
        [at, at, at, id],
      );
      return row && toLoaded({ ...judged, row });
    });
  }

  async loadById(id: string): Promise<contract.SessionRecord | undefined> {
    const row = findSession(this.#db, id, this.#clock.now());
    return row && toSessionRecord(row);
  }

  async commit(
    id: string,
    delta: contract.SessionDelta,
    { revision, returning, owner }: contract.CommitOptions = {},
  ): Promise<contract.SessionRecord | "not-found" | "moved"> {
    return this.#transaction((db, now) => {
      const row = findSession(db, id, now);
      if (!row) return "not-found";
      if (revision !== undefined && revision !== row.revision) return "moved";
      const nextOwner = row.kind === "context" && owner !== undefined ? owner : row.owner;
      if (nextOwner !== null && nextOwner !== row.owner) knowOwner(db, nextOwner);
      return this.#write(
        `update clean_arch_sessions set data = ?, revision = revision + 1, owner = ?, ${TOUCH} where id = ?
         returning ${returning === "head" ? HEAD_COLUMNS : SESSION_COLUMNS}`,
        [applyDelta(row.kind, row.data, delta), nextOwner, now, now, now, id],
      );
    });
  }

  async rotate(
    id: string,
    rotation: contract.Rotation,
  ): Promise<contract.RotatedSession | contract.ReusedToken | "not-found"> {
    return this.#transaction((db, now) => {
      const judged = judgeSession(db, id, rotation.oldTokenHash, now);
      if (!judged) return "not-found";
      const { row, tokens, verdict } = judged;
      if (verdict.kind === "reused") return this.#endReused(db, row);
      if (verdict.kind === "grace") return { session: toSessionRecord(row), seed: verdict.seed };
      const signIn = encodeSignIn(signInOf(rotation.signIn, now));
      const session = this.#write(
        `update clean_arch_sessions set tokens = ?, sign_in = coalesce(?, sign_in), rotated_at = ?, ${TOUCH} where id = ?
         returning ${SESSION_COLUMNS}`,
        [encodeTokens(rotateTokens(tokens, rotation, now)), signIn, now, now, now, now, id],
      );
      return { session, seed: rotation.seed };
    });
  }

  async revoke(id: string): Promise<contract.SessionRecord | undefined> {
    const sql = `delete from clean_arch_sessions where id = ? and expires_at > ? returning ${SESSION_COLUMNS}`;
    const [ended] = this.#transaction((db, now) => db.all<SessionRow>(sql, [id, now]));
    return ended && toSessionRecord(ended);
  }

  async revokeSubject(subject: string, except?: string): Promise<number> {
    const sql = "delete from clean_arch_sessions where subject = ? and expires_at > ? and id is not ?";
    return this.#transaction((db, now) => db.run(sql, [subject, now, except ?? null]).changes);
  }

  async revokeAll(): Promise<number> {
    const sql = "delete from clean_arch_sessions where kind = 'login' and expires_at > ?";
    return this.#transaction((db, now) => db.run(sql, [now]).changes);
  }

  async list(query: contract.SessionQuery): Promise<contract.SessionPage> {
    const after = query.cursor === undefined ? undefined : decodeSessionCursor(query.cursor);
    const rows = this.#db.all<SessionRow>(
      `select ${SESSION_COLUMNS} from clean_arch_sessions where expires_at > ? and kind = ?
       ${query.subject === undefined ? "" : "and subject = ?"} ${after ? "and (created_at, id) < (?, ?)" : ""}
       order by created_at desc, id desc limit ?`,
      [
        ...[this.#clock.now(), query.kind ?? "login"],
        ...(query.subject === undefined ? [] : [query.subject]),
        ...(after ? [after.createdAt, after.id] : []),
        query.limit + 1,
      ],
    );
    const items = rows.slice(0, query.limit).map(toSessionRecord);
    const last = items.at(-1);
    return { items, nextCursor: last && rows.length > items.length ? encodeSessionCursor(last) : null };
  }

  async sweep(limit: number, claimMs: number): Promise<contract.ExpiredSession[]> {
    return this.#transaction((db, now) => sweepSessions(db, limit, claimMs, now));
  }

  async settle(expired: readonly contract.ExpiredSession[]): Promise<void> {
    this.#transaction((db) => settleSessions(db, expired));
  }

  async renewOwner(owner: string, leaseMs: number, limit: number): Promise<contract.RenewedOwner> {
    return this.#transaction((db, now) => renewOwner(db, owner, leaseMs, limit, now));
  }

  async retireOwner(owner: string): Promise<void> {
    retireOwner(this.#db, owner);
  }

  async owners(): Promise<contract.SessionOwner[]> {
    return listOwners(this.#db, this.#clock.now());
  }

  get #db(): Database {
    if (this.#opened) return this.#opened;
    throw new RuntimeError(
      "store-unavailable",
      `expected an open session store, got one that is closed (${this.#file}); call open() first`,
      {
        file: this.#file,
      },
    );
  }

  /** The time is taken under the lock: the wait for it may be long. */
  #transaction<T>(body: (db: Database, now: number) => T): T {
    const db = this.#db;
    return db.transaction(() => body(db, this.#clock.now()));
  }

  #endReused(db: Database, row: SessionRow): contract.ReusedToken {
    db.run(DELETE, [row.id]);
    return { reused: toEnded(row) };
  }

  /** A statement that writes one row and returns it. */
  #write(sql: string, params: readonly SqlValue[]): contract.SessionRecord {
    const [row] = this.#db.all<SessionRow>(sql, params);
    if (row) return toSessionRecord(row);
    throw new RuntimeError("internal", "expected a session to be written, got no row");
  }
}
