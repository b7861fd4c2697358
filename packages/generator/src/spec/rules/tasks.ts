/** Tasks: what each kind of task and of stage may have, names, participants, pivots, compensations, schedules. */
import { shown } from "../../diagnostics.js";
import { nearestName } from "../../naming.js";
import { isWritten, type Path } from "../node.js";
import { cyclesOf } from "./domain.js";
import { checkExpressions } from "./expressions.js";
import {
  checkNames,
  type LooseConfig,
  type LooseStage,
  type LooseTask,
  type Named,
  present,
  type Rule,
  type RuleInput,
} from "./rule.js";
import { cronProblem, isTimeZone } from "./schedule.js";
import { endpointProblem } from "./urls.js";

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
    checkSource(task, path, input);
    checkStages(task, path, config, report);
    checkCompensations(task, path, config, report);
    checkTime(task, path, config, report);
  }
  checkChildren(config, report);
};

function checkKeysOfType(task: LooseTask, path: Path, report: Report): void {
  if (task.type === "workflow") {
    for (const key of ["source", "chunk_size", "max_failures"] as const) {
      if (task[key] === undefined) continue;
      const expected = `\`${key}\` only with type batch`;
      report({
        code: "misplaced-key",
        path: [...path, key],
        at: "key",
        expected,
        got: "type workflow",
        hint: "remove it",
      });
    }
  }
  if (task.type === "batch" && task.source === undefined) {
    const expected = "the key `source` of a batch";
    report({
      code: "missing-key",
      path: [...path, "source"],
      expected,
      got: "nothing",
      hint: "entity, service or items",
    });
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
  for (const key of ["timezone", "overlap", "catch_up"] as const) {
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

function checkSource(task: LooseTask, path: Path, { config, root, report }: RuleInput): void {
  const source = task.source;
  const isDeclared = isWritten(root, ["domain"]);
  if (source === undefined) return;
  const at = [...path, "source"];
  const kinds = (["entity", "service", "items"] as const).filter((kind) => source[kind] !== undefined);
  if (kinds.length !== 1) {
    const got = kinds.length === 0 ? "none of them" : kinds.join(" and ");
    report({ code: "wrong-value", path: at, expected: "one of entity, service, items", got });
  }
  const alone = (key: "where" | "endpoint", owner: "entity" | "service"): void => {
    if (source[key] === undefined || source[owner] !== undefined) return;
    report({
      code: "misplaced-key",
      path: [...at, key],
      at: "key",
      expected: `\`${key}\` beside ${owner}`,
      got: `no ${owner}`,
    });
  };
  alone("where", "entity");
  alone("endpoint", "service");
  if (
    source.where !== undefined &&
    (source.where === null || typeof source.where !== "object" || Array.isArray(source.where))
  ) {
    report({
      code: "wrong-type",
      path: [...at, "where"],
      expected: "a mapping of fields to values",
      got: shown(source.where),
    });
  }
  if (source.service !== undefined && source.endpoint === undefined) {
    report({ code: "missing-key", path: [...at, "endpoint"], expected: "the key `endpoint`", got: "nothing" });
  }
  if (source.service !== undefined) checkDeclared(source.service, [...at, "service"], config, report);
  checkEndpoint(source.endpoint, [...at, "endpoint"], report);
  const entities = present(config.domain?.entities).flatMap(({ item }) => (item.name === undefined ? [] : [item.name]));
  if (source.entity !== undefined && !entities.includes(source.entity)) {
    const nearest = nearestName(source.entity, entities);
    // As with services: what no block could declare is a thing to come, not a mistake.
    const severity = isDeclared ? "error" : "warning";
    const hint = { hint: nearest !== null ? `did you mean ${nearest}` : "add it to `domain.entities`" };
    const expected = "an entity of this domain";
    report({ code: "unknown-entity", severity, path: [...at, "entity"], expected, got: shown(source.entity), ...hint });
  }
}

const GROUP_KEYS = new Set(["name", "parallel", "pivot"]);
const STANDALONE = ["wait_for", "sleep", "saga"] as const;

function checkStages(task: LooseTask, path: Path, config: LooseConfig, report: Report): void {
  const names: Named[] = [];
  let pivot: string | null = null;
  for (const { item: stage, i } of present(task.stages)) {
    const at = [...path, "stages", i];
    if (stage.name !== undefined) names.push({ name: stage.name, path: [...at, "name"] });
    if (stage.pivot === true) {
      if (pivot !== null) {
        const hint = `the first is ${pivot}`;
        report({
          code: "bad-pivot",
          path: [...at, "pivot"],
          at: "key",
          expected: "one pivot in a task",
          got: "another",
          hint,
        });
      }
      pivot ??= stage.name ?? "a group";
    }
    if (stage.parallel === undefined) {
      checkAction(stage, at, config, report);
      continue;
    }
    for (const key of Object.keys(stage).filter((one) => !GROUP_KEYS.has(one))) {
      const expected = "only name, parallel and pivot on a parallel group";
      report({
        code: "misplaced-key",
        path: [...at, key],
        at: "key",
        expected,
        got: shown(key),
        hint: "write it on its stages",
      });
    }
    for (const { item: inner, i: j } of present(stage.parallel)) {
      const innerAt = [...at, "parallel", j];
      if (inner.name !== undefined) names.push({ name: inner.name, path: [...innerAt, "name"] });
      if (inner.parallel !== undefined) {
        const got = "a group in a group";
        const hint = "put its stages into the group around it";
        report({ code: "nested-parallel", path: [...innerAt, "parallel"], at: "key", expected: "a stage", got, hint });
        continue;
      }
      if (inner.pivot === true) {
        const hint = "write it on the group";
        const got = "one inside a parallel group";
        report({
          code: "bad-pivot",
          path: [...innerAt, "pivot"],
          at: "key",
          expected: "a pivot between stages",
          got,
          hint,
        });
      }
      checkAction(inner, innerAt, config, report);
    }
  }
  checkNames(report, "stage", names);
}

function checkAction(stage: Omit<LooseStage, "parallel">, path: Path, config: LooseConfig, report: Report): void {
  const need = (key: "name" | "service" | "endpoint"): void => {
    if (stage[key] !== undefined) return;
    report({ code: "missing-key", path: [...path, key], expected: `the key \`${key}\``, got: "nothing" });
  };
  need("name");
  if (!STANDALONE.some((key) => stage[key] !== undefined)) {
    need("service");
    need("endpoint");
  }
  if (stage.service !== undefined) checkDeclared(stage.service, [...path, "service"], config, report);
  checkEndpoint(stage.endpoint, [...path, "endpoint"], report);
  checkExpressions(stage, path, report);
}

function checkEndpoint(endpoint: string | undefined, path: Path, report: Report): void {
  const problem = endpoint === undefined ? null : endpointProblem(endpoint);
  if (problem !== null) report({ path, got: shown(endpoint), ...problem });
}

function checkDeclared(service: string, path: Path, config: LooseConfig, report: Report): void {
  if (config.services === undefined || Object.hasOwn(config.services, service)) return;
  const names = Object.keys(config.services);
  const nearest = nearestName(service, names);
  const hint = nearest === null ? "add it to `services:`" : `did you mean ${nearest}`;
  report({ code: "unknown-service", path, expected: "a service that `services:` declares", got: shown(service), hint });
}

function checkCompensations(task: LooseTask, path: Path, config: LooseConfig, report: Report): void {
  const order = new Map<string, number>();
  let pivotAt = Number.POSITIVE_INFINITY;
  for (const { item: stage, i } of present(task.stages)) {
    if (stage.pivot === true) pivotAt = Math.min(pivotAt, i);
    for (const one of stage.parallel === undefined ? [stage] : present(stage.parallel).map(({ item }) => item)) {
      if (one.name !== undefined) order.set(one.name, i);
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
      (one.sleep ?? 0) + (one.wait_for === undefined ? 0 : (one.timeout ?? 0));
    return sum + Math.max(own(stage), ...present(stage.parallel).map(({ item }) => own(item)));
  }, 0);
  if (waits <= limit) return;
  const expected = `sleeps and waits within the timeout (${limit / 1000} s)`;
  const where = task.timeout === undefined ? [...path, "stages"] : [...path, "timeout"];
  report({ code: "timeout-exceeded", severity: "warning", path: where, expected, got: `${waits / 1000} s` });
}

/** Child sagas that would start each other for ever. */
function checkChildren(config: LooseConfig, report: Report): void {
  const tasks = present(config.long_running?.tasks);
  const known = tasks.flatMap(({ item }) => (item.name === undefined ? [] : [item.name]));
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
      report({ code: "wrong-value", path, expected: "a task of this config", got: shown(target), ...hint });
    }
    if (task.name !== undefined) edges.set(task.name, calls);
  }
  for (const { cycle, path } of cyclesOf(edges)) {
    report({ code: "saga-cycle", path, expected: "child sagas without a cycle", got: cycle.join(" -> ") });
  }
}
