import { RuntimeError } from "../../errors.js";
import { type Clock, systemPorts } from "../../ports.js";
import { decodeSessionCursor, encodeSessionCursor } from "../../store/session-cursor.js";
import { applyDelta, encodeData } from "../../store/session-data.js";
import { deadline, isTouchDue } from "../../store/session-deadlines.js";
import type {
  NewSession,
  SessionDelta,
  SessionPage,
  SessionQuery,
  SessionRecord,
  SessionStore,
} from "../../store/session-store.js";
import { type Database, openDatabase, type SqlValue } from "./database.js";
import { migrate } from "./migrate.js";
import { SESSION_COLUMNS, type SessionRow, toSessionRecord } from "./session-row.js";
import { SESSION_MIGRATIONS } from "./session-schema.js";

export interface SqliteSessionStoreOptions {
  /** Path of the file; it may hold other stores' tables too. */
  readonly file: string;
  /** The store's clock: the processes that share a file share a machine, so the process's own will do. Default: the system's. */
  readonly clock?: Clock;
}

/** Sessions in an SQLite file: they survive restarts and are shared by the processes that open the file. */
export function createSqliteSessionStore(options: SqliteSessionStoreOptions): SessionStore {
  return new SqliteSessionStore(options.file, options.clock ?? systemPorts.clock);
}

/** Takes one parameter, the time. Whatever is not live by it is not there for any call but the sweep. */
const LIVE = `s.expires_at > ? and s.epoch = coalesce((select e.epoch from clean_arch_session_epochs e where e.subject = s.subject), 0)`;
/** Takes the time, three times over. Moves the idle deadline; nothing moves it back. */
const TOUCH = `touched_at = max(touched_at, ?), expires_at = max(expires_at, min(? + idle_ms, coalesce(absolute_expires_at, ? + idle_ms)))`;
/** An epoch is kept this long past its start, far longer than a creation can be under way, and while there are sessions. */
const EPOCH_KEPT_MS = 86_400_000;

/** Each call is one statement, or one transaction that holds the file's write lock from its start. */
class SqliteSessionStore implements SessionStore {
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
      const now = this.#clock.now();
      migrate(db, "sessions", SESSION_MIGRATIONS, now);
      db.run(
        `delete from clean_arch_session_epochs where started_at < ?
           and not exists (select 1 from clean_arch_sessions s where s.subject = clean_arch_session_epochs.subject)`,
        [now - EPOCH_KEPT_MS],
      );
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

  async create(session: NewSession): Promise<SessionRecord | "exists"> {
    const { id, kind, tokenHash, subject, idleMs, absoluteMs } = session;
    const data = encodeData(kind, session.data);
    const db = this.#db;
    const epoch = this.#epoch(subject);
    return db.transaction(() => {
      const now = this.#clock.now();
      const absoluteExpiresAt = absoluteMs === null ? null : now + absoluteMs;
      const expiresAt = deadline(now, idleMs, absoluteExpiresAt);
      db.run(`delete from clean_arch_sessions as s where s.id = ? and not (${LIVE})`, [id, now]);
      const [row] = db.all<SessionRow>(
        `insert into clean_arch_sessions
           (id, kind, token_hash, subject, epoch, data, revision, created_at, touched_at, idle_ms, expires_at, absolute_expires_at)
         values (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?) on conflict do nothing returning ${SESSION_COLUMNS}`,
        [id, kind, tokenHash, subject, epoch, data, now, now, idleMs, expiresAt, absoluteExpiresAt],
      );
      return row ? toSessionRecord(row) : "exists";
    });
  }

  async load(tokenHash: string, options: { readonly touch: boolean }): Promise<SessionRecord | undefined> {
    const now = this.#clock.now();
    const found = this.#one(
      `select ${SESSION_COLUMNS} from clean_arch_sessions s
       where (s.token_hash = ? or (s.previous_token_hash = ? and s.previous_expires_at > ?)) and ${LIVE}`,
      [tokenHash, tokenHash, now, now],
    );
    if (!found || !options.touch || !isTouchDue(found, now)) return found;
    return this.#one(
      `update clean_arch_sessions as s set ${TOUCH} where s.id = ? and ${LIVE} returning ${SESSION_COLUMNS}`,
      [...[now, now, now], found.id, now],
    );
  }

  async loadById(id: string): Promise<SessionRecord | undefined> {
    return this.#live(id, this.#clock.now());
  }

  async commit(id: string, delta: SessionDelta, revision?: number): Promise<SessionRecord | "not-found" | "moved"> {
    const db = this.#db;
    return db.transaction(() => {
      const now = this.#clock.now();
      const [row] = db.all<SessionRow>(
        `select ${SESSION_COLUMNS} from clean_arch_sessions s where s.id = ? and ${LIVE}`,
        [id, now],
      );
      if (!row) return "not-found";
      if (revision !== undefined && revision !== row.revision) return "moved";
      const updated = this.#one(
        `update clean_arch_sessions set data = ?, revision = revision + 1, ${TOUCH} where id = ? returning ${SESSION_COLUMNS}`,
        [applyDelta(row.kind, row.data, delta), now, now, now, id],
      );
      return updated ?? "not-found";
    });
  }

  async rotate(oldTokenHash: string, newTokenHash: string, graceMs: number): Promise<SessionRecord | "not-found"> {
    const now = this.#clock.now();
    const previous = graceMs > 0 ? [oldTokenHash, now + graceMs] : [null, null];
    const rotated = this.#one(
      `update or ignore clean_arch_sessions as s
       set token_hash = ?, previous_token_hash = ?, previous_expires_at = ?, ${TOUCH}
       where s.token_hash = ? and ${LIVE} returning ${SESSION_COLUMNS}`,
      [newTokenHash, ...previous, now, now, now, oldTokenHash, now],
    );
    return rotated ?? "not-found";
  }

  async revoke(id: string): Promise<boolean> {
    return (
      this.#db.run(`delete from clean_arch_sessions as s where s.id = ? and ${LIVE}`, [id, this.#clock.now()]).changes >
      0
    );
  }

  async revokeSubject(subject: string): Promise<number> {
    // Takes effect at the end of the call, so that what is created while it is under way falls under it too.
    await Promise.resolve();
    const db = this.#db;
    return db.transaction(() => {
      const now = this.#clock.now();
      const ended = db.run(`delete from clean_arch_sessions as s where s.subject = ? and ${LIVE}`, [subject, now]);
      db.run(
        `insert into clean_arch_session_epochs (subject, epoch, started_at) values (?, 1, ?)
         on conflict (subject) do update set epoch = epoch + 1, started_at = excluded.started_at`,
        [subject, now],
      );
      return ended.changes;
    });
  }

  async list(query: SessionQuery): Promise<SessionPage> {
    const after = query.cursor === undefined ? undefined : decodeSessionCursor(query.cursor);
    const rows = this.#db.all<SessionRow>(
      `select ${SESSION_COLUMNS} from clean_arch_sessions s where ${LIVE} and s.kind = ?
       ${query.subject === undefined ? "" : "and s.subject = ?"} ${after ? "and (s.created_at, s.id) < (?, ?)" : ""}
       order by s.created_at desc, s.id desc limit ?`,
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

  async sweep(limit: number): Promise<SessionRecord[]> {
    const db = this.#db;
    return db.transaction(() => {
      // A session of an earlier epoch was revoked, not expired, unless it had expired before that epoch ended.
      const rows = db.all<SessionRow & { readonly revoked: number }>(
        `select ${SESSION_COLUMNS.split(", ")
          .map((column) => `s.${column}`)
          .join(", ")},
           s.epoch < coalesce(e.epoch, 0) and s.expires_at > e.started_at as revoked
         from clean_arch_sessions s left join clean_arch_session_epochs e on e.subject = s.subject
         where s.expires_at <= ? order by s.expires_at limit ?`,
        [this.#clock.now(), limit],
      );
      for (const { id } of rows) db.run("delete from clean_arch_sessions where id = ?", [id]);
      return rows.filter((row) => !row.revoked).map(toSessionRecord);
    });
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

  #epoch(subject: string | null): number {
    const [row] = this.#db.all<{ epoch: number }>("select epoch from clean_arch_session_epochs where subject = ?", [
      subject,
    ]);
    return row?.epoch ?? 0;
  }

  #live(id: string, now: number): SessionRecord | undefined {
    return this.#one(`select ${SESSION_COLUMNS} from clean_arch_sessions s where s.id = ? and ${LIVE}`, [id, now]);
  }

  #one(sql: string, params: readonly SqlValue[]): SessionRecord | undefined {
    const [row] = this.#db.all<SessionRow>(sql, params);
    return row && toSessionRecord(row);
  }
}
