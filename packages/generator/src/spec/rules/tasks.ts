/** Tasks: names, what each kind of task may have, compensations, schedules, time. */
import { shown } from "../../diagnostics.js";
import { nearestName } from "../../naming.js";
import type { Path } from "../node.js";
import { checkBatch } from "./batches.js";
import { checkChildren } from "./children.js";
import { checkTemplate } from "./expressions.js";
import { checkQueues } from "./queues.js";
import {
  checkNames,
  type LooseConfig,
  type LooseStage,
  type LooseTask,
  present,
  type Rule,
  type RuleInput,
} from "./rule.js";
import { cronProblem, isTimeZone } from "./schedule.js";
import { checkDeclared, checkEndpoint, checkStages } from "./stages.js";

type Report = RuleInput["report"];

const TASKS: Path = ["long_running", "tasks"];

export const checkTasks: Rule = (input) => {
  const { config, report } = input;
  const tasks = present(config.long_running?.tasks);
  checkNames(
    report,
    "task",
    tasks.flatMap(({ item, i }) => (item.name === undefined ? [] : [{ name: item.name, path: [...TASKS, i, "name"] }])),
  );
  for (const { item: task, i } of tasks) {
    const path = [...TASKS, i];
    checkKeysOfType(task, path, report);
    checkSchedule(task, path, report);
    checkStages(task, path, input);
    if (task.type === "batch") checkBatch(task, path, input);
    checkCompensations(task, path, config, report);
    checkTime(task, path, config, report);
  }
  checkChildren(config, report);
  checkQueues(config, report);
};

const OF_WORKFLOWS = ["concurrency_per_key", "queue_key"] as const;
const OF_BATCHES = ["source", "chunk_size", "max_failures", "max_failure_ratio"] as const;

function checkKeysOfType(task: LooseTask, path: Path, report: Report): void {
  if (task.type === undefined) return;
  const other = task.type === "workflow" ? "batch" : "workflow";
  for (const key of task.type === "workflow" ? OF_BATCHES : OF_WORKFLOWS) {
    if (task[key] === undefined) continue;
    const expected = `\`${key}\` only with type ${other}`;
    const got = `type ${task.type}`;
    report({ code: "misplaced-key", path: [...path, key], at: "key", expected, got, hint: "remove it" });
  }
}

function checkSchedule(task: LooseTask, path: Path, report: Report): void {
  const problem = task.schedule === undefined ? null : cronProblem(task.schedule);
  if (problem !== null) {
    report({ code: "bad-schedule", path: [...path, "schedule"], expected: problem, got: shown(task.schedule) });
  }
  if (task.timezone !== undefined && !isTimeZone(task.timezone)) {
    const expected = "an IANA time zone such as Europe/Berlin";
    report({ code: "bad-schedule", path: [...path, "timezone"], expected, got: shown(task.timezone) });
  }
  const { schedule_input: input } = task;
  if (input !== undefined && (input === null || typeof input !== "object" || Array.isArray(input))) {
    const expected = "a mapping of what its runs are given";
    report({ code: "wrong-type", path: [...path, "schedule_input"], expected, got: shown(input) });
  } else checkTemplate(input, [...path, "schedule_input"], report);
  for (const key of ["timezone", "overlap", "catch_up", "schedule_input"] as const) {
    if (task.schedule !== undefined || task[key] === undefined) continue;
    report({
      code: "misplaced-key",
      path: [...path, key],
      at: "key",
      expected: `\`${key}\` beside a schedule`,
      got: "no schedule",
    });
  }
}

function checkCompensations(task: LooseTask, path: Path, config: LooseConfig, report: Report): void {
  const order = new Map<string, number>();
  const uncalled = new Map<string, string>();
  let pivotAt = Number.POSITIVE_INFINITY;
  for (const { item: stage, i } of present(task.stages)) {
    if (stage.pivot === true) pivotAt = Math.min(pivotAt, i);
    for (const one of stage.parallel === undefined ? [stage] : present(stage.parallel).map(({ item }) => item)) {
      if (one.name === undefined) continue;
      order.set(one.name, i);
      const kind = (["sleep", "wait_for", "saga"] as const).find((key) => one[key] !== undefined);
      if (kind !== undefined) uncalled.set(one.name, kind);
    }
  }
  const seen = new Set<string>();
  for (const { item: compensation, i } of present(task.compensation)) {
    const at = [...path, "compensation", i];
    const { stage, service, action } = compensation;
    if (service !== undefined) checkDeclared(service, [...at, "service"], config, report);
    checkEndpoint(action, [...at, "action"], report);
    if (stage === undefined) continue;
    if (seen.has(stage)) {
      report({
        code: "duplicate-name",
        path: [...at, "stage"],
        expected: "one compensation for a stage",
        got: shown(stage),
      });
    }
    seen.add(stage);
    const position = order.get(stage);
    const kind = uncalled.get(stage);
    if (kind !== undefined) {
      const hint = kind === "saga" ? "a child saga is undone by its own compensations; remove it" : "remove it";
      const expected = "a stage that calls a service";
      report({
        code: "misplaced-key",
        path: [...at, "stage"],
        expected,
        got: `${shown(stage)}, which has ${kind}`,
        hint,
      });
    }
    if (position === undefined) {
      const nearest = nearestName(stage, [...order.keys()]);
      const waits = "it is kept and waits for the stage";
      const hint = nearest === null ? waits : `did you mean ${nearest}? ${waits}`;
      const where = [...at, "stage"];
      report({
        code: "unknown-stage",
        severity: "warning",
        path: where,
        expected: "a stage of the task",
        got: shown(stage),
        hint,
      });
      if (service === undefined) {
        const expected = "the key `service`, since there is no stage to take it from";
        report({ code: "missing-key", path: [...at, "service"], expected, got: "nothing" });
      }
    } else if (position > pivotAt) {
      const hint = "after the pivot a run only goes forward; remove one of them";
      const expected = "a stage up to the pivot";
      report({
        code: "pivoted-compensation",
        severity: "warning",
        path: [...at, "stage"],
        expected,
        got: shown(stage),
        hint,
      });
    }
  }
}

function checkTime(task: LooseTask, path: Path, config: LooseConfig, report: Report): void {
  const limit = task.timeout ?? config.session?.saga?.timeout;
  if (limit === undefined) return;
  const waits = present(task.stages).reduce((sum, { item: stage }) => {
    const own = (one: Omit<LooseStage, "parallel">): number =>
      (typeof one.sleep === "number" ? one.sleep : 0) + (one.wait_for === undefined ? 0 : (one.timeout ?? 0));
    return sum + Math.max(own(stage), ...present(stage.parallel).map(({ item }) => own(item)));
  }, 0);
  if (waits <= limit) return;
  const expected = `sleeps and waits within the timeout (${limit / 1000} s)`;
  const where = task.timeout === undefined ? [...path, "stages"] : [...path, "timeout"];
  report({ code: "timeout-exceeded", severity: "warning", path: where, expected, got: `${waits / 1000} s` });
}
