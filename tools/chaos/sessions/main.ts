import { parseArgs } from "node:util";
import { missingRedis, type RedisPersistence } from "@clean-arch/test-servers";
import { sessionOffenses, sessionSummary } from "./report.js";
import { runSessionChaos } from "./session-chaos.js";

const TIERS: readonly RedisPersistence[] = ["none", "everysec", "always"];

/**
 * `npm run chaos -- --sessions --minutes M --seed S --persistence none|everysec|always --instances N`: see session-chaos.ts.
 * Exits with 1 at any violation, with the seed and the history of the sessions that show it.
 */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ sessions: { type: "boolean" }, minutes: { type: "string" }, seed: { type: "string" } },
      ...{ instances: { type: "string" }, persistence: { type: "string" } },
    },
  });
  const numbers = { minutes: 1, seed: 1, instances: 3 };
  for (const name of Object.keys(numbers) as (keyof typeof numbers)[]) {
    const written = values[name];
    if (written !== undefined) numbers[name] = Number(written);
    if (numbers[name] > 0) continue;
    console.error(`expected --${name} to be a number above 0, got ${written}`);
    return 2;
  }
  const persistence = TIERS.find((tier) => tier === (values.persistence ?? "everysec"));
  if (persistence === undefined) {
    console.error(`expected --persistence to be ${TIERS.join(", ")}, got ${values.persistence}`);
    return 2;
  }
  const missing = missingRedis();
  if (missing !== null) {
    console.error(missing);
    return 2;
  }
  const { minutes, seed, instances } = numbers;
  const report = await runSessionChaos({
    ...{ seed, lengthMs: minutes * 60_000, instances, persistence, say: (line) => console.error(line) },
  });
  for (const line of sessionSummary(report)) console.log(line);
  if (report.violations.length === 0) return 0;
  console.error(`\nseed ${seed}:`);
  for (const line of sessionOffenses(report)) console.error(line);
  return 1;
}
