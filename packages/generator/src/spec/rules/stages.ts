/** Stages: one kind of work in each, the keys that this kind has, names, groups and the pivot. */
import { shown } from "../../diagnostics.js";
import { nearestName } from "../../naming.js";
import { isWritten, type Path } from "../node.js";
import { checkExpressions, checkTemplate } from "./expressions.js";
import {
  checkNames,
  type LooseConfig,
  type LooseStage,
  type LooseTask,
  type Named,
  present,
  type RuleInput,
} from "./rule.js";
import { endpointProblem } from "./urls.js";

type Report = RuleInput["report"];
type Action = Omit<LooseStage, "parallel">;
type Key = keyof Action;

const GROUP_KEYS = new Set(["name", "parallel", "pivot"]);

/** What a stage may be, and what it has beside `name`, `when` and `pivot` then. */
const KINDS = {
  service: [
    ...["endpoint", "method", "timeout", "retry", "refusals", "input", "map", "concurrency", "max_items"],
    "heartbeat",
  ],
  sleep: [],
  wait_for: ["timeout", "on_timeout"],
  saga: ["input"],
} as const satisfies Partial<Record<Key, readonly Key[]>>;
const KIND_NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];

export function checkStages(task: LooseTask, path: Path, input: RuleInput): void {
  const { report } = input;
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
      checkStage(stage, at, input);
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
      checkStage(inner, innerAt, input);
    }
  }
  checkNames(report, "stage", names);
}

function checkStage(stage: Action, path: Path, { config, root, report }: RuleInput): void {
  const need = (key: "name" | "service" | "endpoint"): void => {
    if (stage[key] !== undefined) return;
    report({ code: "missing-key", path: [...path, key], expected: `the key \`${key}\``, got: "nothing" });
  };
  need("name");
  const [kind, ...others] = KIND_NAMES.filter((each) => isWritten(root, [...path, each]));
  for (const other of others) {
    const expected = `one of ${KIND_NAMES.join(", ")} in a stage`;
    const hint = "make it a stage of its own";
    report({ code: "misplaced-key", path: [...path, other], at: "key", expected, got: `${kind} and ${other}`, hint });
  }
  if (kind === undefined || kind === "service") {
    need("service");
    need("endpoint");
  }
  if (others.length === 0) checkKeys(stage, kind ?? "service", path, report);
  if (stage.service !== undefined) checkDeclared(stage.service, [...path, "service"], config, report);
  checkEndpoint(stage.endpoint, [...path, "endpoint"], report);
  if (typeof stage.sleep === "string") checkTemplate(stage.sleep, [...path, "sleep"], report);
  checkExpressions(stage, path, report);
}

function checkKeys(stage: Action, kind: keyof typeof KINDS, path: Path, report: Report): void {
  const allowed: readonly string[] = ["name", "when", "pivot", kind, ...KINDS[kind]];
  for (const key of (Object.keys(stage) as Key[]).filter((each) => stage[each] !== undefined)) {
    // Of these it is said that there is no map.
    const isOfMap = stage.map === undefined && (key === "concurrency" || key === "max_items");
    if (isOfMap || allowed.includes(key)) continue;
    const owner = KIND_NAMES.find((each) => (KINDS[each] as readonly string[]).includes(key)) ?? "service";
    const expected = `\`${key}\` beside ${owner}`;
    const got = stage[kind] === undefined ? `no ${owner}` : `a stage with ${kind}`;
    report({ code: "misplaced-key", path: [...path, key], at: "key", expected, got, hint: "remove it" });
  }
  if (kind !== "wait_for" || stage.on_timeout === undefined || stage.timeout !== undefined) return;
  const expected = "`on_timeout` beside a timeout";
  const hint = "say how long it waits, or remove it";
  report({ code: "misplaced-key", path: [...path, "on_timeout"], at: "key", expected, got: "no timeout", hint });
}

export function checkEndpoint(endpoint: string | undefined, path: Path, report: Report): void {
  const problem = endpoint === undefined ? null : endpointProblem(endpoint);
  if (problem !== null) report({ path, got: shown(endpoint), ...problem });
}

export function checkDeclared(service: string, path: Path, config: LooseConfig, report: Report): void {
  if (config.services === undefined || Object.hasOwn(config.services, service)) return;
  const names = Object.keys(config.services);
  const nearest = nearestName(service, names);
  const hint = nearest === null ? "add it to `services:`" : `did you mean ${nearest}`;
  report({ code: "unknown-service", path, expected: "a service that `services:` declares", got: shown(service), hint });
}
