/** One of the values that this version has; what else there is has been refused at its line. */
export function available<T extends string>(value: string, values: readonly T[]): T {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new Error(`a config with ${value} should have been refused`);
  return found;
}
