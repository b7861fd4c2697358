import type { JournalRecord, JournalRow } from "../../engine/records.js";

const MAX_FACT = 120;

/** A journal to be read: a line for each record, with the row's number, its fence, and its time since the first row. */
export function journalText(rows: readonly JournalRow[]): string {
  const beganAt = rows[0]?.at ?? 0;
  return rows
    .flatMap(({ seq, fence, at, records }) =>
      records.map(
        (record) => `${String(seq).padStart(4)}  f${fence}  +${span(at - beganAt).padEnd(8)} ${text(record)}`,
      ),
    )
    .join("\n");
}

function text({ kind, ...facts }: JournalRecord): string {
  const told = Object.entries(facts).map(([key, value]) => {
    const fact = typeof value === "object" ? JSON.stringify(value) : String(value);
    return `${key}=${fact.length > MAX_FACT ? `${fact.slice(0, MAX_FACT)}...` : fact}`;
  });
  return [kind, ...told].join(" ");
}

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1_000, "s"],
] as const;

/** In the largest unit that it fills: `1.5s`, `30d`. */
function span(ms: number): string {
  const [size, unit] = UNITS.find(([size]) => ms >= size) ?? [1, "ms"];
  return `${Number((ms / size).toFixed(2))}${unit}`;
}
