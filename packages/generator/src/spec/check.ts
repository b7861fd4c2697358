/**
 * What the schema cannot say: rules between keys. Each rule sees the whole config, of which wrong parts are left out,
 * and reports at the key or value concerned; a rule says nothing about what is missing because it was wrong.
 */
import type { Diagnostic } from "../diagnostics.js";
import { isWritten, type Node, pathText, placeOfKey, placeOfValue } from "./node.js";
import { checkChoreography } from "./rules/choreography.js";
import { checkCookie } from "./rules/cookie.js";
import { checkDatabase } from "./rules/database.js";
import { checkDomain } from "./rules/domain.js";
import { checkEvents } from "./rules/events.js";
import { checkRedis } from "./rules/redis.js";
import type { Finding, LooseConfig, Rule } from "./rules/rule.js";
import { checkHandlers, checkServices } from "./rules/services.js";
import { checkSession } from "./rules/session.js";
import { checkTasks } from "./rules/tasks.js";
import { checkUrls } from "./rules/urls.js";

/** Rules between keys that configs/app.yaml has, too. */
const settingsRules: readonly Rule[] = [checkUrls, checkDatabase, checkRedis, checkSession, checkCookie];

const rules: readonly Rule[] = [
  checkDomain,
  checkServices,
  checkHandlers,
  ...settingsRules,
  checkTasks,
  checkChoreography,
  checkEvents,
];

export const check = (value: unknown, root: Node, file: string): Diagnostic[] => applied(rules, value, root, file);

/** Of a project's settings what is wrong; what is merely odd is said of the config they come from. */
export const checkSettings = (value: unknown, root: Node, file: string): Diagnostic[] =>
  applied(settingsRules, value, root, file).filter(({ severity }) => severity === "error");

function applied(chosen: readonly Rule[], value: unknown, root: Node, file: string): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const report = (finding: Finding): void => {
    const { code, path, at = "value", severity = "error", expected, got, hint } = finding;
    // It is there, but wrong, and that has been said.
    if (code === "missing-key" && isWritten(root, path)) return;
    const { line, column } = at === "key" ? placeOfKey(root, path) : placeOfValue(root, path);
    const rest = hint === undefined ? {} : { hint };
    diagnostics.push({ severity, code, file, line, column, key: pathText(path), expected, got, ...rest });
  };
  for (const rule of chosen) rule({ config: value as LooseConfig, root, report });
  return diagnostics;
}
