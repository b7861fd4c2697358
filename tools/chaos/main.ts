import { createWriteStream } from "node:fs";
import { parseArgs } from "node:util";
import { missingNats, missingPostgres } from "@clean-arch/test-servers";
import { runChaos } from "./chaos.js";
import { runChoreographyChaos } from "./choreography/choreography-chaos.js";
import { choreographySummary } from "./choreography/report.js";
import { offenses, summary } from "./report.js";
import { main as sessionsMain } from "./sessions/main.js";
import { tasksSummary } from "./tasks/report.js";
import { runTasksChaos } from "./tasks/tasks-chaos.js";

/**
 * `npm run chaos -- --minutes M --seed S`: see chaos.ts. Exits with 1 at any violation, with the seed and the history of the
 * run that shows it. `--history FILE` keeps everything that was seen; `--logs FOLDER` what the
 * instances print; `--service FOLDER` takes a service that was built before. With `--sessions` it is sessions on Redis that
 * are mistreated: sessions/main.ts. With `--choreography` the service is choreographed over NATS: choreography/choreography-chaos.ts. With
 * `--tasks` it is batches, sleepers, queues and schedules: tasks/tasks-chaos.ts.
 */
export async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--sessions")) return sessionsMain(args);
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ minutes: { type: "string" }, seed: { type: "string" }, instances: { type: "string" } },
      ...{ rate: { type: "string" }, history: { type: "string" }, service: { type: "string" } },
      ...{ logs: { type: "string" }, pace: { type: "string" }, choreography: { type: "boolean", default: false } },
      tasks: { type: "boolean", default: false },
    },
  });
  const { choreography, tasks } = values;
  // A choreographed saga is many runs, and a batch is many calls.
  const numbers = {
    minutes: 1,
    seed: 1,
    instances: 5,
    ...(choreography || tasks ? { rate: 4, pace: 0.5 } : { rate: 10, pace: 1 }),
  };
  for (const name of Object.keys(numbers) as (keyof typeof numbers)[]) {
    const written = values[name];
    if (written !== undefined) numbers[name] = Number(written);
    if (numbers[name] > 0) continue;
    console.error(`expected --${name} to be a number above 0, got ${written}`);
    return 2;
  }
  const missing = missingPostgres() ?? (choreography ? missingNats() : null);
  if (missing !== null) {
    console.error(missing);
    return 2;
  }
  const { minutes, seed, instances, rate, pace } = numbers;
  const options = {
    ...{ seed, lengthMs: minutes * 60_000, instances, perSecond: rate, pace },
    say: (line: string) => console.error(line),
    ...(values.service !== undefined && { folder: values.service }),
    ...(values.logs !== undefined && { logs: values.logs }),
  };
  const chaos = choreography ? choreographed : tasks ? ofTasks : orchestrated;
  const { report, lines } = await chaos(options);
  if (values.history !== undefined) {
    const file = createWriteStream(values.history);
    for (const event of report.events) file.write(`${JSON.stringify(event)}\n`);
    await new Promise((resolve) => file.end(resolve));
  }
  for (const line of lines) console.log(line);
  if (report.violations.length === 0) return 0;
  console.error(`\nseed ${seed}:`);
  for (const line of offenses(report)) console.error(line);
  return 1;
}

async function orchestrated(options: Parameters<typeof runChaos>[0]) {
  const report = await runChaos(options);
  return { report, lines: summary(report) };
}

async function choreographed(options: Parameters<typeof runChoreographyChaos>[0]) {
  const report = await runChoreographyChaos(options);
  return { report, lines: choreographySummary(report) };
}

async function ofTasks(options: Parameters<typeof runTasksChaos>[0]) {
  const report = await runTasksChaos(options);
  return { report, lines: tasksSummary(report) };
}
