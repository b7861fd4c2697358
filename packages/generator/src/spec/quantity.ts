/** Durations and sizes: what a config writes, and the milliseconds and bytes everything after it uses. */

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const BYTES_PER_UNIT = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

export const DURATION_MAX_MS = 365 * 24 * MS_PER_UNIT.h;
export const SIZE_MAX_BYTES = BYTES_PER_UNIT.GiB;

/** A number is whole seconds. Null: neither a duration nor whole. */
export function parseDuration(written: unknown): number | null {
  if (typeof written === "number") return Number.isInteger(written) && written >= 0 ? written * MS_PER_UNIT.s : null;
  const match = typeof written === "string" ? /^([0-9]{1,12})(ms|s|m|h)$/.exec(written) : null;
  return match === null ? null : Number(match[1]) * MS_PER_UNIT[match[2] as keyof typeof MS_PER_UNIT];
}

/** A number is bytes. */
export function parseSize(written: unknown): number | null {
  if (typeof written === "number") return Number.isInteger(written) && written >= 1 ? written : null;
  const match = typeof written === "string" ? /^([0-9]{1,12})(B|KiB|MiB|GiB)$/.exec(written) : null;
  return match === null ? null : Number(match[1]) * BYTES_PER_UNIT[match[2] as keyof typeof BYTES_PER_UNIT];
}

/** The shortest spelling a config takes: whole seconds as a number, else `"1500ms"`. */
export const durationText = (ms: number): number | string => (ms % 1000 === 0 ? ms / 1000 : `${ms}ms`);

/** The largest unit that divides: `"1MiB"`. */
export function sizeText(bytes: number): string {
  const unit = (["GiB", "MiB", "KiB"] as const).find((name) => bytes % BYTES_PER_UNIT[name] === 0) ?? "B";
  return `${bytes / BYTES_PER_UNIT[unit]}${unit}`;
}
