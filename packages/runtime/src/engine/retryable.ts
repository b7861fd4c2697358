import type { Failure } from "./records.js";

/**
 * Whether a policy's `nonRetryable` names this failure: by its code, by `http-<status>` of the participant's answer, or by
 * the beginning of either with a `*` after it.
 */
export function isNonRetryable(patterns: readonly string[], { code, status }: Failure): boolean {
  const names = status === undefined ? [code] : [code, `http-${status}`];
  return patterns.some((pattern) =>
    names.some((name) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern)),
  );
}
