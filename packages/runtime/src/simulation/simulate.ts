import { parseArgs } from "node:util";
import { Tally } from "./world/tally.js";
import { WorldSimulation } from "./world-simulation.js";

/**
 * `npm run simulate -- --seeds N --from S`: simulates N worlds from seed S on (default 300 from 1). Prints what was
 * tried; at the first breach the seed and how to replay it, and exits with 1.
 */
const { values } = parseArgs({ options: { seeds: { type: "string" }, from: { type: "string" } } });
const seeds = Number(values.seeds ?? 300);
const from = Number(values.from ?? 1);
if (!Number.isSafeInteger(seeds) || seeds < 1 || !Number.isSafeInteger(from) || from < 0) {
  console.error(`expected --seeds of 1 or more and --from of 0 or more, got ${values.seeds} and ${values.from}`);
  process.exit(2);
}

const tally = new Tally();
for (let seed = from; seed < from + seeds; seed++) {
  try {
    tally.add(await new WorldSimulation(seed).run());
  } catch (error) {
    for (const line of tally.lines) console.log(line);
    console.error(error instanceof Error ? error.message : String(error));
    console.error(`replay it: npm run simulate -- --seeds 1 --from ${seed}`);
    process.exit(1);
  }
}
for (const line of tally.lines) console.log(line);
