import type { Violation } from "../../oracle/seen.js";
import type { SeenBatch } from "./seen-batches.js";

/** What is told of a batch's progress only grows, and never beyond its items. What failed and is tried again counts no longer. */
export function checkProgress(batches: readonly SeenBatch[]): Violation[] {
  return batches.flatMap(({ run, items }) => {
    const told = run.told.flatMap(({ event, order }) => {
      const { progress, asked, instance } = event;
      return progress === undefined ? [] : [{ ...progress, asked, order, instance }];
    });
    const isTriedAgain = run.verbs.some(({ verb }) => verb === "retry" || verb === "resume");
    return told.flatMap((now): Violation[] => {
      const settled = now.done + now.failed + now.skipped;
      if (settled > items.length)
        return [{ rule: "progress", run: run.id, message: `told ${settled} items settled of ${items.length}` }];
      const sinks = (["done", "skipped", ...(isTriedAgain ? [] : (["failed"] as const))] as const).flatMap((name) => {
        const before = told.find((other) => other.order < now.asked && other[name] > now[name]);
        return before === undefined ? [] : [`told ${before[name]} ${name}, then by ${now.instance} ${now[name]}`];
      });
      return sinks.map((message) => ({ rule: "progress", run: run.id, message }));
    });
  });
}
