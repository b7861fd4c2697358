/**
 * `node dist/seed.js --entity order --count 1000 [--set status=confirmed] [--yes]`: makes up entities of one kind, for tests and
 * trials. In production only with `--yes`.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadSettings } from "./infrastructure/config/load.js";
import { createLogger } from "./infrastructure/logging/logger.js";
import { runSeed, type SeedWish } from "./infrastructure/seeding/seed-command.js";
import { SeedError } from "./infrastructure/seeding/seed-entity.js";

const MAX_COUNT = 100_000_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function wishOf(args: readonly string[]): SeedWish & { readonly yes: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      entity: { type: "string" },
      count: { type: "string", default: "100" },
      set: { type: "string", multiple: true, default: [] },
      yes: { type: "boolean", default: false },
    },
  });
  const count = /^[0-9]{1,9}$/.test(values.count) ? Number(values.count) : Number.NaN;
  if (!(count >= 1 && count <= MAX_COUNT))
    throw new SeedError(`expected --count from 1 to ${MAX_COUNT}, got ${values.count}`);
  return { entity: values.entity ?? "", count, set: values.set, yes: values.yes };
}

try {
  const wish = wishOf(process.argv.slice(2));
  const settings = loadSettings(fileURLToPath(new URL("..", import.meta.url)));
  if (settings.production && !wish.yes)
    throw new SeedError("expected --yes in production: what is made up would stand beside what is real");
  await runSeed(settings, wish, createLogger(settings.name, "silent"), say);
} catch (error) {
  // Each of them says what to do; a stack would hide it.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  const isMisused =
    error instanceof SeedError || (error as { code?: unknown }).code?.toString().startsWith("ERR_PARSE");
  process.exitCode = isMisused === true ? 2 : 1;
}
