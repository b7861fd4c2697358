/** The session block: values that are fine alone and odd together. */
import { type Node, nodeAt } from "../node.js";
import type { Rule } from "./rule.js";

/** Below it, a busy process loses its runs to others. */
const MIN_LEASE_MS = 1000;

const seconds = (ms: number): string => `${ms / 1000} s`;

export const checkSession: Rule = ({ config, root, report }) => {
  const { context, checkpoint, recovery, rotation, saga } = config.session ?? {};
  const interval = ["session", "checkpoint", "interval"];
  const strategy = checkpoint?.strategy;
  if (checkpoint?.interval !== undefined) {
    if (strategy === "step" || strategy === "manual") {
      const expected = `no interval with strategy ${strategy}`;
      const hint = "remove it, or use strategy time or count";
      report({ code: "interval-ignored", severity: "warning", path: interval, at: "key", expected, got: "one", hint });
    }
    if (strategy === "count" && !isNumber(nodeAt(root, interval))) {
      report({
        code: "wrong-type",
        path: interval,
        expected: "a number of steps with strategy count",
        got: "a duration",
      });
    }
  }
  if (context?.ttl !== undefined && context.absolute_ttl !== undefined && context.ttl > context.absolute_ttl) {
    const expected = `at most absolute_ttl (${seconds(context.absolute_ttl)})`;
    const hint = "absolute_ttl ends a session in any case; raise it as well";
    report({
      code: "out-of-range",
      path: ["session", "context", "ttl"],
      expected,
      got: seconds(context.ttl),
      hint,
    });
  }
  const period = rotation?.period;
  if (period !== undefined && rotation?.grace_period !== undefined && rotation.grace_period >= period) {
    report({
      code: "out-of-range",
      path: ["session", "rotation", "grace_period"],
      expected: `less than period (${seconds(period)})`,
      got: seconds(rotation.grace_period),
      hint: "a token must be done with before its successor is exchanged",
    });
  }
  if (period !== undefined && context?.absolute_ttl !== undefined && period >= context.absolute_ttl) {
    report({
      code: "out-of-range",
      severity: "warning",
      path: ["session", "rotation", "period"],
      expected: `less than session.context.absolute_ttl (${seconds(context.absolute_ttl)})`,
      got: seconds(period),
      hint: "no session gets that old, so no token is exchanged",
    });
  }
  if (
    recovery?.initial_delay !== undefined &&
    recovery.max_delay !== undefined &&
    recovery.initial_delay > recovery.max_delay
  ) {
    const path = ["session", "recovery", "initial_delay"];
    const expected = `at most max_delay (${seconds(recovery.max_delay)})`;
    report({
      code: "out-of-range",
      path,
      expected,
      got: seconds(recovery.initial_delay),
      hint: "raise max_delay as well",
    });
  }
  if (recovery?.lease !== undefined && recovery.lease < MIN_LEASE_MS) {
    const path = ["session", "recovery", "lease"];
    report({ code: "out-of-range", path, expected: `at least ${seconds(MIN_LEASE_MS)}`, got: seconds(recovery.lease) });
  }
  const workflows = config.long_running?.tasks?.filter((task) => task?.type === "workflow") ?? [];
  if (saga?.enabled === false && workflows.length > 0 && config.long_running?.enabled !== false) {
    const hint = "they are not written; remove them, or enable sagas";
    const path = ["session", "saga", "enabled"];
    report({
      code: "sagas-disabled",
      severity: "warning",
      path,
      expected: "no workflow tasks",
      got: `${workflows.length}`,
      hint,
    });
  }
};

const isNumber = (node: Node | undefined): boolean => node?.kind === "scalar" && typeof node.value === "number";
