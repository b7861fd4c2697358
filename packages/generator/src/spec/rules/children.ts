/** Children: tasks that a stage runs. They are workflows of the same config, and none comes back to the one it began in. */
import { shown } from "../../diagnostics.js";
import { nearestName } from "../../naming.js";
import type { Path } from "../node.js";
import { cyclesOf } from "./domain.js";
import { type LooseConfig, present, type RuleInput } from "./rule.js";

const TASKS: Path = ["long_running", "tasks"];

export function checkChildren(config: LooseConfig, report: RuleInput["report"]): void {
  const tasks = present(config.long_running?.tasks);
  const known = tasks.flatMap(({ item }) => (item.name === undefined || item.type === "batch" ? [] : [item.name]));
  const edges = new Map<string, { target: string; path: Path }[]>();
  for (const { item: task, i } of tasks) {
    const children = present(task.stages).flatMap(({ item: stage, i: j }) => {
      const at = [...TASKS, i, "stages", j];
      const inner = present(stage.parallel).map(({ item, i: k }) => ({
        target: item.saga,
        path: [...at, "parallel", k, "saga"],
      }));
      return [{ target: stage.saga, path: [...at, "saga"] }, ...inner];
    });
    const calls = children.flatMap(({ target, path }) => (target === undefined ? [] : [{ target, path }]));
    for (const { target, path } of calls) {
      if (known.includes(target)) continue;
      const nearest = nearestName(target, known);
      const hint = nearest === null ? {} : { hint: `did you mean ${nearest}` };
      report({ code: "wrong-value", path, expected: "a workflow task of this config", got: shown(target), ...hint });
    }
    if (task.name !== undefined) edges.set(task.name, calls);
  }
  for (const { cycle, path } of cyclesOf(edges)) {
    report({ code: "saga-cycle", path, expected: "child sagas without a cycle", got: cycle.join(" -> ") });
  }
}
