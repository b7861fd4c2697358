import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { type RangeReport, type SeedRange, simulateRange } from "./seed-range.js";
import { SeedRanges } from "./seed-ranges.js";

/**
 * Simulates the seeds on several threads. A world needs no other, so what it does does not depend on where it runs. Reports
 * come in the order of their seeds and end with the first that has a breach.
 */
export async function simulateOnThreads(
  range: SeedRange,
  threads: number,
  onReport: (report: RangeReport) => void,
): Promise<void> {
  const ranges = new SeedRanges(range, onReport);
  await Promise.all(Array.from({ length: threads }, () => lane(ranges)));
}

function lane(ranges: SeedRanges): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url));
    const next = (): void => {
      const range = ranges.next();
      if (range === undefined) void worker.terminate();
      else worker.postMessage(range);
    };
    worker.on("message", (report: RangeReport) => {
      ranges.done(report);
      next();
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve());
    next();
  });
}

if (!isMainThread) {
  // Simulated failures are errors by the thousand, and nobody reads where they come from.
  Error.stackTraceLimit = 0;
  parentPort?.on("message", (range: SeedRange) => {
    void simulateRange(range).then((report) => parentPort?.postMessage(report));
  });
}
