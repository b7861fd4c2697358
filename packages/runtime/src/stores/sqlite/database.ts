import { mkdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { RuntimeError } from "../../errors.js";
import { type Handle, loadDriver, type SqlValue, type Statement } from "./driver.js";
import { fromDriver } from "./driver-error.js";

export type { SqlValue } from "./driver.js";

/**
 * One SQLite file, in write-ahead mode, durable at each commit. All calls are synchronous, so a transaction is never
 * interleaved with another call of this process. Errors: see `fromDriver`; after `close`, `store-unavailable`.
 */
export interface Database {
  /** The file's real path. */
  readonly file: string;
  /** Runs statements without parameters or results. */
  exec(sql: string): void;
  /** The rows of one statement. Placeholders are plain `?`, and no `?` stands for anything else. */
  all<Row = Record<string, SqlValue>>(sql: string, params?: readonly SqlValue[]): Row[];
  /** How many rows one statement changed. Not for `returning`: use `all`, the drivers disagree on the count. */
  run(sql: string, params?: readonly SqlValue[]): { readonly changes: number };
  /**
   * Runs `body` all or nothing, holding the file's write lock from the start; within a transaction, as a part of it that
   * can be undone alone. A throw undoes it. `body` must be synchronous.
   */
  transaction<T>(body: () => T): T;
  /**
   * Opens a transaction that ends by one of its calls, for one turn of the event loop only: until then every call of this
   * process on the file, whoever makes it, is a part of it. Error: `internal` within a transaction.
   */
  begin(): OpenTransaction;
  /** Within `body` a call waits for another process's lock for a moment only: for what can as well be done a little later. */
  briefly<T>(body: () => T): T;
  /** Gives back this use of the connection; the last one closes it. Twice is once. */
  close(): void;
}

export interface OpenTransaction {
  commit(): void;
  /** Harmless after the end. */
  rollback(): void;
}

export interface DatabaseOptions {
  /** How long a call waits, blocking this process, for another process's lock, ms. Default 2,000. The file's first opener decides. */
  readonly busyTimeoutMs?: number;
}

const DEFAULT_BUSY_TIMEOUT_MS = 2_000;
const BRIEF_TIMEOUT_MS = 50;
const MAX_STATEMENTS = 256;

/** One per real path. Several stores of a process share it: their writes then queue here instead of in the file's lock. */
const connections = new Map<string, Connection>();

/**
 * Opens (and creates, with its folder) an SQLite file. Errors: `store-unavailable` (cannot be opened, locked),
 * `store-incompatible` (no driver, damaged, not a database, a file system without shared memory).
 */
export function openDatabase(file: string, options: DatabaseOptions = {}): Database {
  const path = realPath(file);
  let connection = connections.get(path);
  if (!connection) {
    connection = new Connection(path, options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS);
    connections.set(path, connection);
  }
  return connection.use();
}

function realPath(file: string): string {
  const path = resolve(file);
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    const message = `expected to create the folder of the SQLite file ${path}, got: ${(cause as Error).message}; name a file in a writable folder`;
    throw new RuntimeError("store-unavailable", message, { file: path }, { cause });
  }
  try {
    return realpathSync(path);
  } catch {
    return join(realpathSync(dirname(path)), basename(path));
  }
}

/** A transaction, or a part of one. `close` follows either of the others. */
interface Level {
  commit(): void;
  undo(reason: unknown): void;
  close(): void;
}

interface Prepared {
  readonly statement: Statement;
  readonly params: number;
}

class Connection {
  readonly #file: string;
  readonly #handle: Handle;
  readonly #busyTimeoutMs: number;
  /** Prepared once per text; the oldest is dropped beyond the bound. */
  readonly #statements = new Map<string, Prepared>();
  #users = 0;
  #depth = 0;
  /** Why SQLite undid the transaction by itself: what is left of it must not run, it would commit alone. */
  #undone: unknown;

  constructor(file: string, busyTimeoutMs: number) {
    this.#file = file;
    this.#busyTimeoutMs = Math.trunc(busyTimeoutMs);
    this.#handle = this.#guard(() => loadDriver().open(file));
    try {
      this.exec(`pragma busy_timeout = ${this.#busyTimeoutMs}`);
      const [mode] = this.all("pragma journal_mode = wal", []);
      if (mode?.journal_mode !== "wal") {
        const message = `expected write-ahead logging for ${file}, got ${String(mode?.journal_mode)}; put the file on a local disk`;
        throw new RuntimeError("store-incompatible", message, { file });
      }
      this.exec("pragma synchronous = full; pragma foreign_keys = on");
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  use(): Database {
    this.#users += 1;
    let open = true;
    const connection = (): this => {
      if (open) return this;
      throw new RuntimeError(
        "store-unavailable",
        `expected the SQLite file ${this.#file} to be open, got a call after close`,
        { file: this.#file },
      );
    };
    return {
      file: this.#file,
      exec: (sql) => connection().exec(sql),
      all: <Row>(sql: string, params: readonly SqlValue[] = []) => connection().all(sql, params) as Row[],
      run: (sql, params = []) => connection().run(sql, params),
      transaction: (body) => connection().transaction(body),
      begin: () => connection().begin(),
      briefly: (body) => connection().briefly(body),
      close: () => {
        if (!open) return;
        open = false;
        this.#users -= 1;
        if (this.#users === 0) {
          connections.delete(this.#file);
          this.#close();
        }
      },
    };
  }

  exec(sql: string): void {
    this.#guard(() => this.#handle.exec(sql));
  }

  all(sql: string, params: readonly SqlValue[]): Record<string, unknown>[] {
    return this.#guard(() => this.#prepare(sql, params).all(params));
  }

  run(sql: string, params: readonly SqlValue[]): { readonly changes: number } {
    return this.#guard(() => this.#prepare(sql, params).run(params));
  }

  transaction<T>(body: () => T): T {
    const level = this.#open();
    try {
      const result = body();
      if (result instanceof Promise)
        throw new RuntimeError("internal", "expected a synchronous transaction, got a promise");
      level.commit();
      return result;
    } catch (error) {
      level.undo(error);
      throw error;
    } finally {
      level.close();
    }
  }

  begin(): OpenTransaction {
    if (this.#depth > 0) throw new RuntimeError("internal", "expected no open transaction, got one within another");
    const level = this.#open();
    let open = true;
    const end = (how: () => void): void => {
      if (!open) return;
      open = false;
      try {
        how();
      } finally {
        level.close();
      }
    };
    return {
      commit: () =>
        end(() => {
          try {
            level.commit();
          } catch (error) {
            level.undo(error);
            throw error;
          }
        }),
      rollback: () => end(() => level.undo(undefined)),
    };
  }

  briefly<T>(body: () => T): T {
    this.exec(`pragma busy_timeout = ${Math.min(BRIEF_TIMEOUT_MS, this.#busyTimeoutMs)}`);
    try {
      return body();
    } finally {
      this.exec(`pragma busy_timeout = ${this.#busyTimeoutMs}`);
    }
  }

  #open(): Level {
    const nested = this.#depth > 0;
    const savepoint = `level_${this.#depth}`;
    this.exec(nested ? `savepoint ${savepoint}` : "begin immediate");
    this.#depth += 1;
    return {
      commit: () => this.exec(nested ? `release ${savepoint}` : "commit"),
      undo: (reason) => this.#undo(nested, savepoint, reason),
      close: () => {
        this.#depth -= 1;
        if (!nested) this.#undone = undefined;
      },
    };
  }

  #undo(nested: boolean, savepoint: string, reason: unknown): void {
    try {
      this.exec(nested ? `rollback to ${savepoint}; release ${savepoint}` : "rollback");
    } catch {
      // On a full disk or an I/O error SQLite has rolled back everything already; the first error tells more.
      if (nested) this.#undone ??= reason;
    }
  }

  #prepare(sql: string, params: readonly SqlValue[]): Statement {
    let prepared = this.#statements.get(sql);
    if (!prepared) {
      prepared = { statement: this.#handle.prepare(sql), params: sql.split("?").length - 1 };
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined && this.#statements.size >= MAX_STATEMENTS) this.#statements.delete(oldest);
      this.#statements.set(sql, prepared);
    }
    checkParams(sql, params, prepared.params);
    return prepared.statement;
  }

  #guard<T>(call: () => T): T {
    if (this.#undone) throw this.#undone;
    try {
      return call();
    } catch (error) {
      throw fromDriver(error, this.#file);
    }
  }

  #close(): void {
    try {
      // libsql's connection lives until its statements are collected; what it wrote goes into the main file now.
      this.#handle.exec("pragma wal_checkpoint(passive)");
    } catch {
      // The log stays beside the file and is read at the next open.
    }
    this.#statements.clear();
    this.#handle.close();
  }
}

/** libsql aborts the process on a boolean, keeps the last call's value for a missing parameter and stores NaN as null. */
function checkParams(sql: string, params: readonly SqlValue[], expected: number): void {
  if (params.length !== expected)
    throw new RuntimeError("internal", `expected ${expected} parameters, got ${params.length}: ${sql}`);
  for (const param of params) {
    const fits = param === null || typeof param === "string" || (typeof param === "number" && Number.isFinite(param));
    if (!fits)
      throw new RuntimeError(
        "internal",
        `expected text, finite numbers or null as parameters, got ${String(param)}: ${sql}`,
      );
  }
}
