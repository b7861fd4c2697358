import { ratioRows, type Targets } from "./ratios.js";
import type { SuiteResult } from "./suite.js";
import { aligned } from "./text-table.js";

/** How the readable part of every suite's output begins. */
export function machineLines({ machine, rounds }: SuiteResult): string[] {
  return [
    `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; medians of ${rounds} rounds`,
    ...Object.entries(machine.versions).map(([name, version]) => `  ${name} ${version}`),
  ];
}

/** How it ends. */
export function ratioLines(targets: Targets<string>, { ratios, failures }: SuiteResult): string[] {
  return ["\nratios", aligned(ratioRows(targets, ratios)), ...failures.map((failure) => `\nfailed: ${failure}`)];
}
