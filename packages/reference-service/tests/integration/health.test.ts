import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { openSqlite } from "../../src/infrastructure/persistence/sqlite/database.js";
import { startService } from "./service.js";

/** What happens to a file does not happen to a server. */
const onFile = test.skipIf((process.env.TEST_DATABASE_URL ?? "") !== "");

const database = (status: "up" | "down") => ({ dependencies: { database: { status } } });

onFile(
  "a database that another process keeps locked is named, and the service is ready again when it lets go",
  async () => {
    const service = await startService();
    const other = openSqlite(service.settings.databaseFile);
    try {
      other.exec("BEGIN IMMEDIATE");
      const locked = await service.call("GET", "/health/ready");
      expect(locked).toMatchObject({ status: 503, body: { status: "down", ...database("down") } });
      expect((await service.call("GET", "/health/live")).status).toBe(200);
      other.exec("ROLLBACK");
      // Runs are advanced again from the next renewal of the lease on.
      const ready = () => service.call("GET", "/health/ready");
      await expect.poll(ready, { timeout: 5_000 }).toMatchObject({ status: 200, body: database("up") });
    } finally {
      other.close();
      await service.close();
    }
  },
);

onFile("a database whose folder is gone is named, though its open file still answers", async () => {
  const service = await startService();
  try {
    rmSync(dirname(service.settings.databaseFile), { recursive: true });
    expect(await service.call("GET", "/health/ready")).toMatchObject({ status: 503, body: database("down") });
  } finally {
    await service.close();
  }
});
