/** The seed command's work: the database opened and brought up to date, what is asked for read, the entities inserted. */

import { Refusal } from "../../application/errors.js";
import type { Logger } from "../../application/ports/logger.js";
import type { Field } from "../../domain/fields.js";
import type { Settings } from "../config/settings.js";
import { openDatabase } from "../persistence/database.js";
import { filling } from "../persistence/filling.js";
import { prepareDatabase } from "../persistence/prepare.js";
import { repositoriesOn } from "../persistence/repositories.js";
import { columnsOf } from "../persistence/table.js";
import { createUuidV7 } from "../persistence/uuid-v7.js";
import { SeedError, type SeededEntity, seedEntity } from "./seed-entity.js";
import { seededEntities } from "./seeded-entities.generated.js";

export interface SeedWish {
  /** In any case: `order_line`, `order-line`, `OrderLine`. */
  readonly entity: string;
  readonly count: number;
  /** `field=value`, each. */
  readonly set: readonly string[];
}

/** Says what it did, line by line. Throws a `SeedError` (the wish is wrong), a `Refusal`, a `ConfigError`, a `MigrationError`. */
export async function runSeed(
  { name, database: chosen, migrationsFolder, production }: Settings,
  { entity: wanted, count, set }: SeedWish,
  logger: Logger,
  say: (line: string) => void,
): Promise<void> {
  const database = await openDatabase({ name, database: chosen }, logger);
  try {
    await prepareDatabase(database.migrated, { migrationsFolder, production, now: Date.now });
    const clock = { now: Date.now };
    const entities = seededEntities(repositoriesOn(database.opened), { clock, newId: createUuidV7(clock) });
    const entity = entities.find((each) => bare(each.name) === bare(wanted));
    if (entity === undefined) {
      const names = entities.map((each) => each.name).join(", ");
      throw new SeedError(`expected --entity, one of ${names}, got ${wanted === "" ? "nothing" : wanted}`);
    }
    const { fill, idsIn } = filling(database.opened);
    const since = performance.now();
    await seedEntity(entity, {
      count,
      set: Object.fromEntries(set.map((text) => settingOf(entity, text))),
      fill: fill(entity.table),
      idsIn,
      said: (done) => say(`${done} of ${count}`),
    });
    const seconds = ((performance.now() - since) / 1_000).toFixed(1);
    say(`${count} new in ${entity.table.name}, in ${seconds} s`);
  } catch (error) {
    throw error instanceof Refusal ? withViolations(error) : error;
  } finally {
    await database.close();
  }
}

const bare = (name: string): string => name.replace(/[_-]/g, "").toLowerCase();

/** `status=confirmed`, by the field's name in the config or in code. */
function settingOf({ name, table, fields }: SeededEntity, text: string): [property: string, value: unknown] {
  const at = text.indexOf("=");
  const given = text.slice(0, at);
  const [property] = columnsOf(table).find(([own, column]) => own === given || column.name === given) ?? [];
  const field = property === undefined ? undefined : fields[property];
  if (at < 1 || property === undefined || field === undefined)
    throw new SeedError(`expected --set <field of ${name}>=<value>, got ${text}`);
  return [property, valueFrom(field, text.slice(at + 1), text)];
}

const TEXTUAL: readonly Field["type"][] = ["string", "text", "enum", "uuid", "reference", "date", "timestamp"];

function valueFrom({ type }: Field, written: string, text: string): unknown {
  if (TEXTUAL.includes(type)) return written;
  if (type === "bigint" || type === "decimal") return written;
  try {
    return JSON.parse(written) as unknown;
  } catch {
    throw new SeedError(`expected --set with a value of type ${type}, got ${text}`);
  }
}

/** A refusal's message alone does not name the fields. */
function withViolations(refusal: Refusal): Error {
  const fields = refusal.violations.map(({ path, message }) => `${path}: ${message}`).join("; ");
  const hint = "give a value that fits with --set <field>=<value>";
  return new Error(`${refusal.message}${fields === "" ? "" : ` ${fields}; ${hint}`}`, { cause: refusal });
}
