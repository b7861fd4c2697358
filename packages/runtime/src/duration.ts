import { RuntimeError } from "./errors.js";

/** A duration in code: always with its unit. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `"1500ms"`, `"30s"`, `"5m"`, `"2h"`, `"30d"`, or of a number of whole seconds as in the config file. */
export function parseDurationMs(value: string | number, key: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(typeof value === "number" ? `${value}s` : value);
  const ms = Number(match?.[1]) * (UNITS_MS[match?.[2] ?? ""] ?? Number.NaN);
  if (Number.isFinite(ms)) return ms;
  throw new RuntimeError(
    "definition-invalid",
    `expected ${key} to be a duration such as "30s" or "5m", got ${JSON.stringify(value)}`,
    { key },
  );
}
