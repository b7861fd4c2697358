/** Choreography: what stages that react to each other's events cannot be, and how they cannot be recovered. */
import type { Path } from "../node.js";
import { type LooseStage, present, type Rule, type RuleInput } from "./rule.js";

const WHAT = { map: "a list", sleep: "a timer", wait_for: "a wait for a signal", saga: "another saga" } as const;

export const checkChoreography: Rule = ({ config, report }) => {
  if (config.session?.saga?.orchestration !== "choreography") return;
  const { recovery } = config.session;
  const hint = "undo what was done, or let an operator decide; or use orchestration";
  if (recovery?.strategy === "retry")
    report({
      code: "not-choreographed",
      path: ["session", "recovery", "strategy"],
      expected: "compensate or manual with choreography",
      got: '"retry"',
      hint,
    });
  if (recovery?.enabled === false)
    report({
      code: "not-choreographed",
      path: ["session", "recovery", "enabled"],
      expected: "true with choreography",
      got: "false",
      hint,
    });
  for (const { item: task, i } of present(config.long_running?.tasks)) {
    if (task.type === "batch") continue;
    for (const { item: stage, i: s } of present(task.stages)) {
      const path = ["long_running", "tasks", i, "stages", s];
      checkStage(stage, path, report);
      for (const { item: part, i: p } of present(stage.parallel)) checkStage(part, [...path, "parallel", p], report);
    }
  }
};

function checkStage(stage: Pick<LooseStage, keyof typeof WHAT>, path: Path, report: RuleInput["report"]): void {
  for (const key of ["map", "sleep", "wait_for", "saga"] as const) {
    if (stage[key] === undefined) continue;
    const expected = "a call of a service with choreography";
    report({
      code: "not-choreographed",
      path: [...path, key],
      at: "key",
      expected,
      got: WHAT[key],
      hint: "use orchestration, or do it in the service",
    });
  }
}
