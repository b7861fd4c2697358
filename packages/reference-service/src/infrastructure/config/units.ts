/** Durations are whole seconds, or text with a unit ("1500ms", "30s", "5m", "2h"); sizes bytes, or "64KiB", "1MiB". */
const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const BYTES_PER_UNIT: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 };

/** Milliseconds, or undefined when it is not a duration. */
export function parseDuration(value: unknown): number | undefined {
  return inUnits(value, /^(\d{1,12})(ms|s|m|h)?$/, MS_PER_UNIT, "s");
}

/** Bytes, or undefined when it is not a size. */
export function parseSize(value: unknown): number | undefined {
  return inUnits(value, /^(\d{1,12})(B|KiB|MiB|GiB)?$/, BYTES_PER_UNIT, "B");
}

function inUnits(
  value: unknown,
  pattern: RegExp,
  units: Readonly<Record<string, number>>,
  unit: string,
): number | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const match = pattern.exec(String(value));
  const factor = match === null ? undefined : units[match[2] ?? unit];
  const total = factor === undefined ? undefined : Number(match?.[1]) * factor;
  return total !== undefined && Number.isSafeInteger(total) ? total : undefined;
}
