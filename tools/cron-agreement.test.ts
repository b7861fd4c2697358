import { expect, it } from "vitest";
import {
  isTimeZone as generatorKnows,
  cronProblem as generatorsProblem,
} from "../packages/generator/src/spec/rules/schedule.js";
import { cronProblem, isTimeZone } from "../packages/runtime/src/schedule/cron.js";
import { SeededRandom } from "../packages/runtime/src/simulation/seeded-random.js";

const PIECES =
  "* 0 1 5 05 7 12 23 24 30 31 59 60 jan DEC mon sun fri - - , / / 2 15 99 L ? # W x 1-5 */5 10-20/3 *".split(" ");
const WHOLE = [
  "*",
  "*",
  "0",
  "5",
  "1-5",
  "*/15",
  "10-40/10",
  "1,2",
  "29",
  "30",
  "2",
  "mon-fri",
  "jan",
  "7",
  "0-7",
  "*/2",
];

it("generator and runtime take the same cron expressions", () => {
  const random = new SeededRandom(1);
  const field = (): string =>
    random.chance(0.8)
      ? random.pick(WHOLE)
      : Array.from({ length: 1 + random.below(4) }, () => random.pick(PIECES)).join("");
  let taken = 0;
  for (let n = 0; n < 20_000; n++) {
    const cron = Array.from({ length: random.chance(0.98) ? 5 : 4 + random.below(3) }, field).join(" ");
    const problem = cronProblem(cron);
    expect(generatorsProblem(cron) === null, `${cron}: ${problem} / ${generatorsProblem(cron)}`).toBe(problem === null);
    if (problem === null) taken += 1;
  }
  expect(taken).toBeGreaterThan(1_000);
});

it("generator and runtime know the same time zones", () => {
  for (const zone of [
    ...Intl.supportedValuesOf("timeZone"),
    "UTC",
    "",
    "+02:00",
    "Mars/Olympus",
    "utc",
    "GMT+1",
    "Etc/GMT+1",
  ])
    expect(generatorKnows(zone), zone).toBe(isTimeZone(zone));
});
