import type { Spread } from "./statistics.js";

/** Three digits, and no more than there are. */
export function figure(value: number): string {
  const rounded = value === 0 ? 0 : Number(value.toPrecision(3));
  return rounded.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

export function range({ min, max }: Spread): string {
  return `${figure(min)}-${figure(max)}`;
}

/** Rows as lines: the first column to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, cells) => cells.map((cell, i) => Math.max(all[i] ?? 0, cell.length)).concat(all.slice(cells.length)),
    [],
  );
  return rows
    .map((cells) =>
      `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")}`.trimEnd(),
    )
    .join("\n");
}

/** The same in Markdown, with a header. */
export function markdown([header = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), `|${header.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
