import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryRunStore, createMemoryWorld } from "../../stores/memory/index.js";
import { createSqliteRunStore } from "../../stores/sqlite/index.js";
import { brokerContract } from "../../testing/broker-contract.js";
import { openPair } from "./local-pair.test.support.js";

brokerContract("local, in memory", {
  open() {
    const world = createMemoryWorld();
    const openStore = async () => {
      const store = createMemoryRunStore({ world, workers: "many" });
      await store.open();
      return store;
    };
    return openPair(openStore, async () => {});
  },
});

brokerContract("local, in a file of SQLite", {
  async open() {
    const folder = mkdtempSync(join(tmpdir(), "clean-arch-local-"));
    const openStore = async () => {
      const store = createSqliteRunStore({ file: join(folder, "events.db") });
      await store.open();
      return store;
    };
    return openPair(openStore, async () => rmSync(folder, { recursive: true, force: true }));
  },
});
