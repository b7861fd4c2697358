import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { systemPorts } from "../ports.js";
import { simulateOnThreads } from "./seed-threads.js";
import { Tally } from "./world/tally.js";

/**
 * `npm run simulate -- --seeds N --from S [--threads T]`: simulates N worlds (default 300) from seed S on (default 1), on as
 * many threads as the machine has cores. Prints what was tried; at the first breach its seed and how to replay it, and
 * exits with 1.
 */
const names = { seeds: { type: "string" }, from: { type: "string" }, threads: { type: "string" } } as const;
const { values } = parseArgs({ options: names });
const count = Number(values.seeds ?? 300);
const from = Number(values.from ?? 1);
const threads = Number(values.threads ?? availableParallelism());
if (![count, from + 1, threads].every((number) => Number.isSafeInteger(number) && number >= 1)) {
  console.error(
    `expected --seeds and --threads of 1 or more and --from of 0 or more, got ${values.seeds}, ${values.threads} and ${values.from}`,
  );
  process.exit(2);
}

const startedAt = systemPorts.clock.monotonic();
const tally = new Tally();
let [seeds, breaches] = [0, 0];
await simulateOnThreads({ from, count }, threads, ({ range, counts, breach }) => {
  tally.merge(counts);
  const before = Math.floor(seeds / 1_000);
  seeds += range.count;
  if (breach === null) {
    if (Math.floor(seeds / 1_000) > before) console.error(`${seeds} of ${count} worlds`);
    return;
  }
  breaches += 1;
  console.error(breach.message);
  console.error(`replay it: npm run simulate -- --seeds 1 --threads 1 --from ${breach.seed}`);
});
for (const line of tally.lines) console.log(line);
const seconds = ((systemPorts.clock.monotonic() - startedAt) / 1_000).toFixed(1);
console.log(`  ${breaches === 0 ? "no invariant broken" : "BROKEN"}; ${seconds} s on ${threads} threads`);
process.exitCode = breaches === 0 ? 0 : 1;
