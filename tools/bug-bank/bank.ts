import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Mutant, mutants } from "./mutants.js";
import { misfits } from "./mutated-source.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Tests of this name plant a bug in a double (a store, a participant, a pure function) and pass when it is noticed. */
const PLANTED_IN_DOUBLES = "finds a planted bug: ";
const DOUBLES = ["packages/runtime/src"];

interface Row {
  readonly bug: string;
  /** The test that noticed it; null: none did. */
  readonly killedBy: string | null;
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/**
 * `npm run bug-bank [-- --only TEXT]`: plants every known bug, one after the other, runs the tests that must notice it, and
 * prints which did and the score. Exits with 1 when one survives.
 */
export async function main(args: readonly string[]): Promise<number> {
  const only = args[0] === "--only" ? (args[1] ?? "") : "";
  const unfit = mutants.flatMap(misfits);
  if (unfit.length > 0) {
    for (const line of unfit) console.error(line);
    return 2;
  }
  const rows: Row[] = [];
  const show = (row: Row): void => {
    rows.push(row);
    console.log(
      `${row.killedBy === null ? "SURVIVED" : "killed  "}  ${row.bug}${row.killedBy === null ? "" : `  (${row.killedBy})`}`,
    );
  };
  if (only === "") for (const row of await inDoubles()) show(row);
  for (const mutant of mutants) if (mutant.name.includes(only)) show(await inSource(mutant));
  const killed = rows.filter(({ killedBy }) => killedBy !== null).length;
  console.log(`\nbug bank: ${killed} of ${rows.length} killed`);
  return killed === rows.length && rows.length > 0 ? 0 : 1;
}

async function inDoubles(): Promise<Row[]> {
  const report = await vitest(["-t", PLANTED_IN_DOUBLES.trim(), ...DOUBLES], {});
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(
        ({ title, status }) => title.startsWith(PLANTED_IN_DOUBLES) && status !== "skipped" && status !== "pending",
      )
      .map(({ title, status }) => ({
        bug: title.slice(PLANTED_IN_DOUBLES.length),
        killedBy: status === "passed" ? relative(root, name) : null,
      })),
  );
}

async function inSource(mutant: Mutant): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), "bug-bank-"));
  try {
    const filter = mutant.only === undefined ? [] : ["-t", mutant.only];
    const environment = { PLANTED_BUG: mutant.name, PLANTED_BUG_FOLDER: folder };
    const args = ["--config", "tools/bug-bank/vitest.config.ts", ...filter, ...mutant.tests];
    const report = await vitest(args, environment);
    for (const { name, message, assertionResults } of report.testResults) {
      const failed = assertionResults.find(({ status }) => status === "failed");
      if (failed !== undefined) {
        const why = (failed.failureMessages?.[0] ?? "").split("\n")[0]?.slice(0, 160);
        return { bug: mutant.name, killedBy: `${relative(root, name)}: ${failed.title}: ${why}` };
      }
      // A file that cannot be loaded notices nothing: the mutant is no program.
      if (assertionResults.length === 0) throw new Error(`${mutant.name}: ${name} could not be run:\n${message}`);
    }
    return { bug: mutant.name, killedBy: null };
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
