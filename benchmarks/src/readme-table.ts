/** Between these two lines of a README stands what the committed results give, and nothing where there is none. */
export const BEGIN = "<!-- benchmarks: npm run bench -- table -->";
export const END = "<!-- /benchmarks -->";

/** The README with the tables of the suites between its two marks. Throws when it has no marks. */
export function withTables(readme: string, tables: readonly string[]): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`expected the lines ${BEGIN} and ${END}, got a README without them`);
  const between = tables.length === 0 ? "" : `${tables.join("\n\n")}\n`;
  return `${readme.slice(0, begin)}${BEGIN}\n${between}${readme.slice(end)}`;
}
