import { parseArgs } from "node:util";
import type { Named } from "./rounds.js";
import type { Suite } from "./suite.js";

export interface Options<C extends Named, S extends Named> {
  readonly rounds: number;
  readonly quick: boolean;
  readonly contenders: readonly C[];
  readonly scenarios: readonly S[];
  /** Files beside `results/` are for trying out. */
  readonly save: boolean;
  /** Each contender writes a profile of its processor time, which slows it a little. */
  readonly profile: boolean;
}

export const TABLE_USAGE = `usage: npm run bench -- table
  writes the READMEs' tables anew from benchmarks/results`;

export function usage({ name, contenders, scenarios }: Suite<Named, Named>): string {
  const names = (all: readonly Named[]): string => all.map((one) => one.name).join(", ");
  return `usage: npm run bench -- ${name} [--quick] [--rounds N] [--only CONTENDERS] [--scenarios SCENARIOS] [--save] [--profile]
  --quick      one round, the main scenarios: to see that everything works; its figures are worth little
  --rounds     of all contenders, by turns (default 5, with --quick 1)
  --only       names separated by commas: ${names(contenders)}
  --scenarios  names separated by commas: ${names(scenarios)}
  --save       writes benchmarks/results/${name}.json and the READMEs' tables anew
  --profile    writes CPU profiles of the contenders' processes to out/profiles, for the developer tools of a browser`;
}

/** Throws with a sentence that names what was wrong, and with the usage. */
export function readOptions<C extends Named, S extends Named>(
  suite: Suite<C, S>,
  args: readonly string[],
): Options<C, S> {
  try {
    return read(suite, args);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${usage(suite)}`);
  }
}

function read<C extends Named, S extends Named>(suite: Suite<C, S>, args: readonly string[]): Options<C, S> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      only: { type: "string" },
      scenarios: { type: "string" },
      save: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
    },
  });
  const { quick, save, profile } = values;
  const rounds = Number(values.rounds ?? (quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`expected --rounds to be a whole number from 1 on, got ${values.rounds}`);
  const scenarios = chosen(
    "--scenarios",
    suite.scenarios,
    values.scenarios ?? (quick ? suite.quick.join(",") : undefined),
  );
  return { rounds, quick, save, profile, scenarios, contenders: chosen("--only", suite.contenders, values.only) };
}

function chosen<T extends Named>(option: string, all: readonly T[], names: string | undefined): readonly T[] {
  if (names === undefined) return all;
  const wanted = names.split(",");
  const unknown = wanted.find((name) => !all.some((one) => one.name === name));
  if (unknown === undefined) return all.filter(({ name }) => wanted.includes(name));
  throw new Error(`expected ${option} to name some of ${all.map(({ name }) => name).join(", ")}, got ${unknown}`);
}
