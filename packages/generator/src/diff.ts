/** What a run would change in a file, as a unified diff. */

const CONTEXT_LINES = 3;
/** Above this many pairs of lines the middle is shown as replaced whole. */
const MAX_PAIRS = 4_000_000;

type Line = { readonly sign: " " | "-" | "+"; readonly text: string };

export function unifiedDiff(path: string, before: Uint8Array | null, after: Uint8Array | null): string {
  const header = `--- ${before === null ? "/dev/null" : `a/${path}`}\n+++ ${after === null ? "/dev/null" : `b/${path}`}\n`;
  if (isBinary(before) || isBinary(after)) return `${header}(binary)\n`;
  const lines = compare(linesOf(before), linesOf(after));
  return header + hunks(lines).join("");
}

const isBinary = (bytes: Uint8Array | null): boolean => bytes?.includes(0) === true;

function linesOf(bytes: Uint8Array | null): string[] {
  const lines = new TextDecoder().decode(bytes ?? new Uint8Array()).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function compare(before: readonly string[], after: readonly string[]): Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end))
    end += 1;
  const same = (text: string): Line => ({ sign: " ", text });
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

/** The longest common subsequence by its table. */
function middle(before: readonly string[], after: readonly string[]): Line[] {
  const removed = (text: string): Line => ({ sign: "-", text });
  const added = (text: string): Line => ({ sign: "+", text });
  const width = after.length + 1;
  if (before.length * after.length > MAX_PAIRS) return [...before.map(removed), ...after.map(added)];
  const table = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      table[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [left, right] = [before[i], after[j]];
    if (left !== undefined && left === right) {
      lines.push({ sign: " ", text: left });
      i += 1;
      j += 1;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(removed(left));
      i += 1;
    } else {
      lines.push(added(right ?? ""));
      j += 1;
    }
  }
  return lines;
}

function hunks(lines: readonly Line[]): string[] {
  const changed = lines.flatMap(({ sign }, i) => (sign === " " ? [] : [i]));
  const ranges: { from: number; to: number }[] = [];
  for (const i of changed) {
    const from = Math.max(0, i - CONTEXT_LINES);
    const to = Math.min(lines.length, i + CONTEXT_LINES + 1);
    const last = ranges.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else ranges.push({ from, to });
  }
  return ranges.map(({ from, to }) => {
    const count = (signs: string, within: readonly Line[]): number =>
      within.filter(({ sign }) => signs.includes(sign)).length;
    const part = lines.slice(from, to);
    const place = (signs: string): string => {
      const length = count(signs, part);
      return `${count(signs, lines.slice(0, from)) + (length === 0 ? 0 : 1)},${length}`;
    };
    const text = part.map(({ sign, text: line }) => `${sign}${line}\n`).join("");
    return `@@ -${place(" -")} +${place(" +")} @@\n${text}`;
  });
}
