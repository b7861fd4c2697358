import { join } from "node:path";
import { it } from "vitest";
import { expectToWaitForRoom } from "../../testing/exhausted-store.test.support.js";
import { mountSmallDisk } from "../../testing/small-disk.test.support.js";
import { createSqliteRunStore } from "./run-store.js";

it("waits while the disk of its file is full", async () => {
  const disk = mountSmallDisk(8);
  if (disk === null) return;
  try {
    const store = createSqliteRunStore({ file: join(disk.folder, "runs.db") });
    const reason = /expected the SQLite file .* to answer, got: (the disk is full|reading or writing failed)/;
    await expectToWaitForRoom({ ...{ store, reason }, exhaust: disk.fill, relieve: disk.clear });
  } finally {
    disk.remove();
  }
});
