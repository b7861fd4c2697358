/** Queues: the default one has no limits, and what two tasks say of one that they share is the same. */
import { shown } from "../../diagnostics.js";
import type { Path } from "../node.js";
import { checkExpression } from "./expressions.js";
import { type LooseConfig, type LooseTask, present, type RuleInput } from "./rule.js";

const DEFAULT_QUEUE = "default";
const MAX_STARTS = 10_000;
const MAX_WINDOW_MS = 24 * 3_600_000;
const LIMITS = ["concurrency", "concurrency_per_key", "rate_limit"] as const;

export function checkQueues(config: LooseConfig, report: RuleInput["report"]): void {
  const limited = new Map<string, { readonly limits: string; readonly task: string }>();
  for (const { item: task, i } of present(config.long_running?.tasks)) {
    const path: Path = ["long_running", "tasks", i];
    if (task.type !== "workflow") continue;
    if (task.queue_key !== undefined) checkExpression(task.queue_key, [...path, "queue_key"], report);
    const first = LIMITS.find((key) => task[key] !== undefined);
    if (first === undefined) continue;
    checkRate(task, path, report);
    const queue = task.queue ?? task.name ?? "";
    if (queue === DEFAULT_QUEUE) {
      const hint = "name another queue";
      const expected = "no limit of the default queue, in which all runs begin that name none";
      report({ code: "wrong-value", path: [...path, first], at: "key", expected, got: shown(first), hint });
    }
    const limits = JSON.stringify(LIMITS.map((key) => task[key] ?? null));
    const known = limited.get(queue);
    limited.set(queue, known ?? { limits, task: task.name ?? "" });
    if (known === undefined || known.limits === limits) continue;
    const hint = "write them in one of the two, or the same in both";
    const expected = `the limits that ${known.task} gives queue ${queue}`;
    report({ code: "wrong-value", path: [...path, first], at: "key", expected, got: "others", hint });
  }
}

/** Items of a batch may come faster, and in longer windows, than runs may begin. */
function checkRate({ rate_limit: rate }: LooseTask, path: Path, report: RuleInput["report"]): void {
  const at = [...path, "rate_limit"];
  if ((rate?.max ?? 0) > MAX_STARTS)
    report({ code: "out-of-range", path: [...at, "max"], expected: `at most ${MAX_STARTS} runs`, got: `${rate?.max}` });
  if ((rate?.window ?? 0) > MAX_WINDOW_MS)
    report({ code: "out-of-range", path: [...at, "window"], expected: "at most 24h", got: `${rate?.window} ms` });
}
