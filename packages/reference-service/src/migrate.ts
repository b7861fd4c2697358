/** `node dist/migrate.js up|down|status`: applies what is pending, takes the newest back, or lists them all. */
import { fileURLToPath } from "node:url";
import { loadSettings } from "./infrastructure/config/load.js";
import { migrateDown, migrateUp, migrationStatus, readMigrations } from "./infrastructure/persistence/migrations.js";
import { openSqlite } from "./infrastructure/persistence/sqlite/database.js";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function migrate(verb: string | undefined): void {
  const { databaseFile, migrationsFolder } = loadSettings(fileURLToPath(new URL("..", import.meta.url)));
  const migrations = readMigrations(`${migrationsFolder}/sqlite`);
  const database = openSqlite(databaseFile);
  try {
    if (verb === "up") {
      const applied = migrateUp(database, migrations, Date.now);
      say(applied.length === 0 ? "nothing is pending" : applied.map((name) => `applied ${name}`).join("\n"));
    } else if (verb === "down") {
      const name = migrateDown(database, migrations);
      say(name === null ? "nothing is applied" : `took back ${name}`);
    } else {
      const status = migrationStatus(database, migrations);
      for (const { name, appliedAt } of status)
        say(`${name}  ${appliedAt === null ? "pending" : `applied ${appliedAt}`}`);
    }
  } finally {
    database.close();
  }
}

const verbs = ["up", "down", "status"];
const [verb] = process.argv.slice(2);
if (verb === undefined || !verbs.includes(verb)) {
  process.stderr.write(`expected one of ${verbs.join(", ")}, got ${verb ?? "nothing"}\n`);
  process.exitCode = 2;
} else {
  try {
    migrate(verb);
  } catch (error) {
    // Both the configuration's and the migrations' errors say what to do; a stack would hide it.
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
