/** The seed command: what it makes up is what the service itself would take. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadSettings } from "../../src/infrastructure/config/load.js";
import type { Settings } from "../../src/infrastructure/config/settings.js";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import { openDatabase } from "../../src/infrastructure/persistence/database.js";
import { repositoriesOn } from "../../src/infrastructure/persistence/repositories.js";
import { createUuidV7 } from "../../src/infrastructure/persistence/uuid-v7.js";
import { runSeed } from "../../src/infrastructure/seeding/seed-command.js";
import { seededEntities } from "../../src/infrastructure/seeding/seeded-entities.generated.js";
import { newTestDatabase } from "./test-database.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const logger = createLogger("test", "silent");
let settings: Settings;
let remove: () => Promise<void>;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "seeding-"));
  const own = await newTestDatabase("database");
  const database =
    own === null
      ? ({ driver: "sqlite", file: join(folder, "test.db") } as const)
      : ({ driver: "postgres", url: own.url, pool: 2 } as const);
  settings = { ...loadSettings(root, { HTTP_AUTH: "none" }), database, production: false };
  remove = async () => {
    rmSync(folder, { recursive: true, force: true });
    await own?.remove();
  };
});
afterAll(() => remove());

async function seed(entity: string, count: number, ...set: string[]): Promise<string[]> {
  const lines: string[] = [];
  await runSeed(settings, { entity, count, set }, logger, (line) => lines.push(line));
  return lines;
}

/** In the order in which they can refer to each other. */
async function names(): Promise<string[]> {
  const database = await openDatabase(settings, logger);
  try {
    const clock = { now: Date.now };
    const shared = { clock, newId: createUuidV7(clock) };
    return seededEntities(repositoriesOn(database.opened), shared).map(({ name }) => name);
  } finally {
    await database.close();
  }
}

describe("the seed command", () => {
  test("makes up as many of each entity as it is asked for, twice over", { timeout: 60_000 }, async () => {
    for (const name of await names()) {
      expect(await seed(name, 40)).toEqual([expect.stringMatching(/^40 new in /)]);
      expect(await seed(name.replaceAll("_", "-"), 3)).toEqual([expect.stringMatching(/^3 new in /)]);
    }
  });

  test("says which entities there are", async () => {
    await expect(seed("nothing_of_ours", 1)).rejects.toThrow(/expected --entity, one of .+, got nothing_of_ours/);
  });

  test("takes no value for a field that is not there", async () => {
    const [name = ""] = await names();
    await expect(seed(name, 1, "no_such_field=1")).rejects.toThrow(`expected --set <field of ${name}>=<value>`);
    await expect(seed(name, 1, "nonsense")).rejects.toThrow("got nonsense");
  });
});
