/** `node dist/migrate.js up|down|status`: applies what is pending, takes the newest back, or lists them all. */
import { fileURLToPath } from "node:url";
import { loadSettings } from "./infrastructure/config/load.js";
import { createLogger } from "./infrastructure/logging/logger.js";
import { openDatabase } from "./infrastructure/persistence/database.js";
import { migrateDown, migrateUp, migrationStatus, readMigrations } from "./infrastructure/persistence/migrations.js";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function migrate(verb: string | undefined): Promise<void> {
  const settings = loadSettings(fileURLToPath(new URL("..", import.meta.url)));
  const { migrated, close } = await openDatabase(settings, createLogger(settings.name, "silent"));
  try {
    const migrations = readMigrations(`${settings.migrationsFolder}/${migrated.folder}`);
    if (verb === "up") {
      const applied = await migrateUp(migrated, migrations, Date.now);
      say(applied.length === 0 ? "nothing is pending" : applied.map((name) => `applied ${name}`).join("\n"));
    } else if (verb === "down") {
      const name = await migrateDown(migrated, migrations);
      say(name === null ? "nothing is applied" : `took back ${name}`);
    } else {
      for (const { name, appliedAt } of await migrationStatus(migrated, migrations))
        say(`${name}  ${appliedAt === null ? "pending" : `applied ${appliedAt}`}`);
    }
  } finally {
    await close();
  }
}

const verbs = ["up", "down", "status"];
const [verb] = process.argv.slice(2);
if (verb === undefined || !verbs.includes(verb)) {
  process.stderr.write(`expected one of ${verbs.join(", ")}, got ${verb ?? "nothing"}\n`);
  process.exitCode = 2;
} else {
  try {
    await migrate(verb);
  } catch (error) {
    // Both the configuration's and the migrations' errors say what to do; a stack would hide it.
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
