/** A middle and how far the rounds lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of at least one value. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), min: quantile(sorted, 0), max: quantile(sorted, 1) };
}

/** The value below which a share of the sorted values lies, with linear interpolation between neighbors. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const [lower, upper] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (lower === undefined || upper === undefined) throw new Error("expected at least one value, got none");
  return lower + (upper - lower) * (at - Math.floor(at));
}

/** The spread of the rounds; four digits are more than the noise leaves true. */
export function roundedSpread(values: readonly number[]): Spread {
  const { median, min, max } = spread(values);
  const short = (value: number): number => Number(value.toPrecision(4));
  return { median: short(median), min: short(min), max: short(max) };
}

/** Null when no round has the value. */
export function knownSpread(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : roundedSpread(known);
}
