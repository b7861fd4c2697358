import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunStore } from "../../store/run-store.js";
import { createManualClock } from "../../testing/manual-clock.js";
import type { EffectsUnderTest, RunStoreUnderTest } from "../../testing/run-store-contract.js";
import { type Database, openDatabase } from "./database.js";
import { createSqliteRunStore } from "./run-store.js";

/** A file of its own for one test, whose clock stands still until it is advanced. */
export interface SqliteUnderTest extends RunStoreUnderTest {
  readonly file: string;
}

export async function open(): Promise<SqliteUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), "clean-arch-runs-"));
  const file = join(folder, "runs.db");
  const clock = createManualClock();
  const stores: RunStore[] = [];
  const reopen = async () => {
    const store = createSqliteRunStore({ file, clock, busyTimeoutMs: 20 });
    stores.push(store);
    await store.open();
    return store;
  };
  const close = async () => {
    await Promise.all(stores.map((store) => store.close()));
    await rm(folder, { recursive: true });
  };
  const store = await reopen();
  const looking = openDatabase(file);
  looking.exec("create table effects (name text)");
  const effects: EffectsUnderTest = {
    write: (client, name) => void (client as Database).run("insert into effects values (?)", [name]),
    committed: async () =>
      looking.all<{ name: string }>("select name from effects order by name").map((row) => row.name),
  };
  const closeAll = async () => {
    looking.close();
    await close();
  };
  return { file, store, advance: clock.advance, reopen, effects, close: closeAll };
}
