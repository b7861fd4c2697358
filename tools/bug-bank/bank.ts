import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./mutant.js";
import { mutants } from "./mutants.js";
import { misfits } from "./mutated-source.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Tests of this name plant a bug in a double (a store, a participant, a pure function) and pass when it is noticed. */
const PLANTED_IN_DOUBLES = "finds a planted bug: ";
const DOUBLES = ["packages/runtime/src"];

interface Row {
  readonly bug: string;
  /** The test that noticed it; null: none did. */
  readonly killedBy: string | null;
  readonly tookMs: number;
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly duration?: number | null;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/**
 * `npm run bug-bank [-- --only TEXT]`: plants every known bug, one after the other, runs the tests that must notice it, and
 * prints which did, in how long, and the score. Exits with 1 when one survives, with 2 when one no longer fits the source.
 */
export async function main(args: readonly string[], bank: readonly Mutant[] = mutants): Promise<number> {
  const only = args[0] === "--only" ? (args[1] ?? "") : "";
  const unfit = bank.flatMap(misfits);
  if (unfit.length > 0) {
    for (const line of unfit) console.error(line);
    return 2;
  }
  const rows: Row[] = [];
  const show = (row: Row): void => {
    rows.push(row);
    console.log(line(row));
  };
  if (only === "") for (const row of await inDoubles()) show(row);
  for (const mutant of bank) if (mutant.name.includes(only)) show(await inSource(mutant));
  const killed = rows.filter(({ killedBy }) => killedBy !== null).length;
  console.log(`\nbug bank: ${killed} of ${rows.length} killed`);
  return killed === rows.length && rows.length > 0 ? 0 : 1;
}

function line({ bug, killedBy, tookMs }: Row): string {
  const took = `${(tookMs / 1_000).toFixed(1)} s`.padStart(7);
  return killedBy === null ? `SURVIVED ${took}  ${bug}` : `killed   ${took}  ${bug}  (${killedBy})`;
}

async function inDoubles(): Promise<Row[]> {
  const report = await vitest(["-t", PLANTED_IN_DOUBLES.trim(), ...DOUBLES], {});
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(
        ({ title, status }) => title.startsWith(PLANTED_IN_DOUBLES) && status !== "skipped" && status !== "pending",
      )
      .map(({ title, status, duration }) => ({
        bug: title.slice(PLANTED_IN_DOUBLES.length),
        killedBy: status === "passed" ? relative(root, name) : null,
        tookMs: duration ?? 0,
      })),
  );
}

async function inSource(mutant: Mutant): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), "bug-bank-"));
  const startedAt = performance.now();
  const row = (killedBy: string | null): Row => ({
    ...{ bug: mutant.name, killedBy, tookMs: performance.now() - startedAt },
  });
  try {
    const filter = mutant.only === undefined ? [] : ["-t", mutant.only];
    const environment = { PLANTED_BUG: JSON.stringify(mutant), PLANTED_BUG_FOLDER: folder };
    const args = ["--config", "tools/bug-bank/vitest.config.ts", ...filter, ...mutant.tests];
    const report = await vitest(args, environment);
    for (const { name, message, assertionResults } of report.testResults) {
      const failed = assertionResults.find(({ status }) => status === "failed");
      if (failed !== undefined) {
        const why = (failed.failureMessages?.[0] ?? "").split("\n")[0]?.slice(0, 160);
        return row(`${relative(root, name)}: ${failed.title}: ${why}`);
      }
      // A file that cannot be loaded notices nothing: the mutant is no program.
      if (assertionResults.length === 0) throw new Error(`${mutant.name}: ${name} could not be run:\n${message}`);
    }
    return row(null);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function vitest(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<VitestReport> {
  const folder = await mkdtemp(join(tmpdir(), "bug-bank-"));
  const file = join(folder, "report.json");
  try {
    const command = join(root, "node_modules/vitest/vitest.mjs");
    const child = spawn(process.execPath, [command, "run", "--reporter=json", `--outputFile=${file}`, ...args], {
      ...{ cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        output = (output + String(chunk)).slice(-4_000);
      });
    await once(child, "close");
    const text = await readFile(file, "utf8").catch(() => null);
    if (text === null) throw new Error(`expected a report of the tests, got none:\n${output}`);
    return JSON.parse(text) as VitestReport;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
