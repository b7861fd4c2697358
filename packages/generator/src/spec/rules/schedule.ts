import { Cron } from "croner";

/** Cron expressions and time zones, checked without running them: what passes here the runtime takes, and nothing else. */

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const DAYS = "sun mon tue wed thu fri sat".split(" ");

const FIELDS: readonly {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly words?: readonly string[];
}[] = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, words: MONTHS },
  { name: "weekday", min: 0, max: 7, words: DAYS },
];

/** What is wrong with a cron expression of five fields; null when nothing is. */
export function cronProblem(cron: string): string | null {
  const parts = cron.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) return "five fields: minute, hour, day, month, weekday";
  for (const [i, field] of FIELDS.entries()) {
    const numberOf = (text: string): number => {
      const word = field.words?.indexOf(text.toLowerCase()) ?? -1;
      if (word >= 0) return word + field.min;
      return /^[0-9]{1,2}$/.test(text) ? Number(text) : Number.NaN;
    };
    const fine = (parts[i] ?? "").split(",").every((item) => {
      const [range = "", step, ...rest] = item.split("/");
      if (rest.length > 0 || (step !== undefined && !isStep(step, field))) return false;
      if (range === "*") return true;
      if (step !== undefined && !range.includes("-")) return false;
      const [low, high, ...more] = range.split("-").map(numberOf);
      const inside = (value: number | undefined): boolean =>
        value !== undefined && value >= field.min && value <= field.max;
      return more.length === 0 && inside(low) && (high === undefined || (inside(high) && high >= (low ?? 0)));
    });
    if (!fine) return `a ${field.name} from ${field.min} to ${field.max}, as *, 5, 1-5, */15 or a list of them`;
  }
  const times = new Cron(parts.join(" "), { mode: "5-part", paused: true, timezone: "UTC" });
  return times.nextRun(SOME_TIME) === null ? "a time that some year has" : null;
}

/** From here on a time is looked for: any that comes at all comes within a cycle of leap years. */
const SOME_TIME = new Date(Date.UTC(2026, 0, 1));

/** As many as the field has values, at most. */
function isStep(step: string, { min, max }: (typeof FIELDS)[number]): boolean {
  return /^[1-9][0-9]?$/.test(step) && Number(step) <= max - min + 1;
}

export function isTimeZone(name: string): boolean {
  // Newer versions of Node take offsets as well.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
