/**
 * Valid keys whose feature this version does not have. The schema knows them already, so that a config written for a
 * later version reads the same; each is refused at its own line, never ignored. A feature that arrives loses its row.
 */
import type { Diagnostic } from "../diagnostics.js";
import { shown } from "../diagnostics.js";
import { type Node, nodeAt, type Path, pathText } from "./node.js";

interface Row {
  /** `*` stands for any key or index. */
  readonly path: string;
  /** Refused values; without it, any value but `false`. */
  readonly values?: readonly string[];
  /** Only in tasks of this type. */
  readonly type?: "workflow" | "batch";
  readonly hint: string;
}

const LEAVE_OUT = "leave it out";

export const unavailable: readonly Row[] = [
  { path: "project.package_manager", values: ["pnpm", "yarn"], hint: "use npm" },
  { path: "http.cors", hint: LEAVE_OUT },
  { path: "http.rate_limit", hint: LEAVE_OUT },
  { path: "services.*.generate", hint: "write a config of its own for it" },
  { path: "session.context.storage", values: ["postgres"], hint: "use redis, sqlite or memory" },
  {
    path: "long_running.tasks.*.start_timeout",
    type: "batch" as const,
    hint: "leave it out, or use type workflow",
  },
  { path: "observability.tracing", hint: LEAVE_OUT },
  { path: "deploy.replicas", hint: LEAVE_OUT },
  { path: "deploy.kubernetes", hint: LEAVE_OUT },
];

export function checkAvailability(root: Node, file: string): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const row of unavailable) {
    for (const { path, key, value } of matching(root, row.path.split("."))) {
      const scalar = value.kind === "scalar" ? value.value : undefined;
      if (row.values === undefined ? scalar === false : !row.values.some((refused) => refused === scalar)) continue;
      if (row.type !== undefined && typeOfTask(root, path) !== row.type) continue;
      const [place, got] = row.values === undefined ? [key, `\`${path.at(-1)}\``] : [value, shown(scalar)];
      diagnostics.push({
        severity: "error",
        code: "not-available",
        file,
        line: place.line,
        column: place.column,
        key: pathText(path),
        expected: "a feature of this version",
        got: `${got}, which is not available in this version`,
        hint: row.hint,
      });
    }
  }
  return diagnostics;
}

interface Match {
  readonly path: Path;
  readonly key: { readonly line: number; readonly column: number };
  readonly value: Node;
}

function matching(root: Node, pattern: readonly string[]): Match[] {
  let found: Match[] = [{ path: [], key: root, value: root }];
  for (const part of pattern) {
    found = found.flatMap((match) => (part === "*" ? children(match) : childrenNamed(match, part)));
  }
  return found;
}

function children({ path, value }: Match): Match[] {
  if (value.kind === "list") return value.items.map((item, i) => ({ path: [...path, i], key: item, value: item }));
  if (value.kind !== "map") return [];
  return [...value.entries].map(([name, entry]) => ({ path: [...path, name], key: entry.key, value: entry.value }));
}

const childrenNamed = (match: Match, name: string): Match[] =>
  match.value.kind === "map" ? children(match).filter(({ path }) => path.at(-1) === name) : [];

/** As written; a task is a workflow unless it says so. */
function typeOfTask(root: Node, path: Path): unknown {
  const type = nodeAt(root, [...path.slice(0, 3), "type"]);
  return type === undefined ? "workflow" : type.kind === "scalar" ? type.value : undefined;
}
