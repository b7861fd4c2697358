import { readdirSync, readFileSync } from "node:fs";

/** What a process and all below it have used since they started. */
export interface Usage {
  readonly cpuMs: number;
  /** Sent to the disk by write calls, bytes, including what was not yet synced. */
  readonly writtenBytes: number;
}

/** Of the kernel's clock in /proc, by which it counts processor time: 100 a second on every Linux that Node supports. */
const TICK_MS = 10;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuMs: number;
}

/**
 * Usage of the process `root` and its descendants, from /proc. The time of children that ended counts too (their parent has it), what
 * they wrote does not.
 */
export function usageOf(root: number): Usage {
  const all = new Map<number, Stat>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    const parsed = stat === null ? null : parseStat(stat);
    if (parsed !== null) all.set(parsed.pid, parsed);
  }
  const below = (pid: number): boolean => {
    for (let at = all.get(pid); at !== undefined; at = all.get(at.parent)) if (at.pid === root) return true;
    return false;
  };
  const family = [...all.values()].filter(({ pid }) => below(pid));
  return {
    cpuMs: sum(family.map(({ cpuMs }) => cpuMs)),
    writtenBytes: sum(family.map(({ pid }) => writtenBytes(read(`/proc/${pid}/io`) ?? ""))),
  };
}

/** A line of /proc/<pid>/stat. The command's name stands in parentheses and may hold anything, also parentheses. */
export function parseStat(line: string): Stat | null {
  const pid = Number.parseInt(line, 10);
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  // From the third field (the state) on: 4 is the parent; 14 to 17 the time of the process and of its ended children.
  const [parent, ...ticks] = [1, 11, 12, 13, 14].map((index) => Number(fields[index]));
  if (parent === undefined || !Number.isInteger(pid) || ticks.some((value) => !Number.isInteger(value))) return null;
  return { pid, parent, cpuMs: sum(ticks) * TICK_MS };
}

function writtenBytes(io: string): number {
  return Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Null when the process has ended meanwhile. */
function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
