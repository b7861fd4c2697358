import { parseArgs } from "node:util";
import { CONTENDERS, type Contender } from "./contenders.js";
import { FLOORS, SAGAS, type Scenario } from "./scenarios.js";

export interface Options {
  readonly rounds: number;
  readonly quick: boolean;
  readonly contenders: readonly Contender[];
  readonly scenarios: readonly Scenario[];
  /** Files beside `results/` are for trying out. */
  readonly save: boolean;
  /** Each contender writes a profile of its processor time, which slows it a little. */
  readonly profile: boolean;
}

export const USAGE = `usage: npm run bench -- sagas [--quick] [--rounds N] [--only CONTENDERS] [--scenarios SCENARIOS] [--save] [--profile]
  --quick      one round, three scenarios: to see that everything works; its figures are worth little
  --rounds     of all contenders, by turns (default 5, with --quick 1)
  --only       names separated by commas: ${CONTENDERS.map(({ name }) => name).join(", ")}
  --scenarios  names separated by commas: ${[...SAGAS, ...FLOORS].map(({ name }) => name).join(", ")}
  --save       writes benchmarks/results/sagas.json and the README's table anew
  --profile    writes CPU profiles of the contenders' processes to out/profiles, for the developer tools of a browser
usage: npm run bench -- table
  writes the README's table anew from benchmarks/results/sagas.json`;

const QUICK: readonly string[] = ["five-1", "five-100", "five-500", "floor", "six-commits"];

/** Throws with a sentence that names what was wrong, and with the usage. */
export function readOptions(args: readonly string[]): Options {
  try {
    return read(args);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

function read(args: readonly string[]): Options {
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
    [...SAGAS, ...FLOORS],
    values.scenarios ?? (quick ? QUICK.join(",") : undefined),
  );
  return { rounds, quick, save, profile, scenarios, contenders: chosen("--only", CONTENDERS, values.only) };
}

function chosen<T extends { readonly name: string }>(
  option: string,
  all: readonly T[],
  names: string | undefined,
): readonly T[] {
  if (names === undefined) return all;
  const wanted = names.split(",");
  const unknown = wanted.find((name) => !all.some((one) => one.name === name));
  if (unknown === undefined) return all.filter(({ name }) => wanted.includes(name));
  throw new Error(`expected ${option} to name some of ${all.map(({ name }) => name).join(", ")}, got ${unknown}`);
}
