import { closeSync, openSync, readSync } from "node:fs";

/**
 * Write transactions of a SQLite database in write-ahead mode since its index was made: the field `iChange` of the index's header, in
 * the shared memory file. Null when there is no such file.
 */
export function sqliteCommits(database: string): number | null {
  try {
    const file = openSync(`${database}-shm`, "r");
    try {
      const header = Buffer.alloc(12);
      return readSync(file, header, 0, header.length, 0) === header.length ? header.readUInt32LE(8) : null;
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}
