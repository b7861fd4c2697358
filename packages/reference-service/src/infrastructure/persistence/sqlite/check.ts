import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { SqliteDatabase } from "./database.js";
import { isUnavailable } from "./driver-errors.js";

const TRIES = 8;
const PAUSE_MS = 100;

/**
 * The database answers when the file that was opened is still in its place and can be written now. A write of another
 * process is waited for, between the tries and without blocking this process; who holds the lock longer is named down.
 */
export function sqliteCheck(database: SqliteDatabase, file: string): () => Promise<undefined> {
  const opened = identity(file);
  return async () => {
    for (let tries = 1; ; tries += 1) {
      // An open file outlives its name: what is written to it then is lost with the process.
      if (identity(file) !== opened) throw new Error("another file has taken the database's place");
      try {
        return takeWriteLock(database);
      } catch (error) {
        if (!isUnavailable(error) || tries === TRIES) throw error;
      }
      await sleep(PAUSE_MS);
    }
  };
}

function identity(file: string): string {
  if (file === ":memory:") return file;
  const { dev, ino } = statSync(file);
  return `${dev}:${ino}`;
}

function takeWriteLock(database: SqliteDatabase): undefined {
  database.withoutWaiting(() => {
    database.exec("BEGIN IMMEDIATE");
    database.exec("ROLLBACK");
  });
}
