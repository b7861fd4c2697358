/** What a stage computes from its run: refused here where the service would refuse it at its start. */
import jsonata from "jsonata";

import { printable, shown } from "../../diagnostics.js";
import type { Path } from "../node.js";
import type { LooseStage, RuleInput } from "./rule.js";

type Report = RuleInput["report"];

const MAX_LENGTH = 10_000;
/** `${ expression }`, and nothing around it. */
const EMBEDDED = /^\s*\$\{([\s\S]*)\}\s*$/;
const REFUSED: Readonly<Record<string, string>> = {
  eval: "write the expression itself",
  random: "let a service draw the number",
  shuffle: "let a service shuffle the list",
};

export function checkExpressions(stage: Omit<LooseStage, "parallel">, path: Path, report: Report): void {
  for (const key of ["when", "map"] as const)
    if (stage[key] !== undefined) checkExpression(stage[key], [...path, key], report);
  if (stage.map === undefined) {
    for (const key of ["concurrency", "max_items"] as const) {
      if (stage[key] === undefined) continue;
      const expected = `\`${key}\` beside map`;
      report({ code: "misplaced-key", path: [...path, key], at: "key", expected, got: "no map", hint: "remove it" });
    }
  }
  const { input } = stage;
  if (input === undefined) return;
  if (typeof input === "string") return checkExpression(EMBEDDED.exec(input)?.[1] ?? input, [...path, "input"], report);
  if (typeof input === "object" && input !== null && !Array.isArray(input))
    return checkTemplate(input, [...path, "input"], report);
  const expected = "one JSONata expression, or a mapping of what is sent";
  report({ code: "wrong-type", path: [...path, "input"], expected, got: shown(input) });
}

/** Of text in `${ ... }`, alone or anywhere in a mapping. */
export function checkTemplate(template: unknown, path: Path, report: Report): void {
  if (typeof template === "string") {
    const source = EMBEDDED.exec(template)?.[1];
    if (source !== undefined) return checkExpression(source, path, report);
    if (!template.includes("${")) return;
    const hint = "join texts inside the braces with &";
    const expected = "all of it one `${ expression }`, or plain text";
    return report({ code: "bad-expression", path, expected, got: shown(template), hint });
  }
  if (typeof template !== "object" || template === null) return;
  const parts = Array.isArray(template) ? template.entries() : Object.entries(template);
  for (const [key, value] of parts) checkTemplate(value, [...path, key], report);
}

export function checkExpression(source: string, path: Path, report: Report): void {
  const refuse = (expected: string, hint: string): void =>
    report({ code: "bad-expression", path, expected, got: shown(source), hint });
  if (source.length > MAX_LENGTH)
    return refuse(`a JSONata expression of at most ${MAX_LENGTH} characters`, "let a stage compute it");
  try {
    const names = variablesIn(jsonata(source).ast());
    const refused = names.find((name) => Object.hasOwn(REFUSED, name));
    if (refused !== undefined) refuse(`a JSONata expression without $${refused}`, REFUSED[refused] ?? "");
  } catch (error) {
    refuse("a JSONata expression", sentence(error));
  }
}

/** Names of the variables that an expression mentions, those of functions included. */
function variablesIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const own = "type" in node && node.type === "variable" && "value" in node ? [String(node.value)] : [];
  return [...own, ...Object.values(node).flatMap(variablesIn)];
}

/** The package throws plain objects. */
function sentence(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error)) return printable(String(error));
  const place = "position" in error && typeof error.position === "number" ? ` (character ${error.position})` : "";
  return `${printable(String(error.message)).slice(0, 300)}${place}`;
}
