import { Cron } from "croner";
import { RuntimeError } from "../errors.js";

/** Five fields. Fixed times are those whose minutes and hours are numbers, ranges of them or lists of either: see `CronTimes`. */
const OPTIONS = { mode: "5-part", fixedTimeRule: "no-wildcard", paused: true } as const;

/** What every cron knows; the package reads more (`L`, `#`, `?`, `@daily`), which not every reader of a config does. */
const VALUE = String.raw`(?:\d{1,2}|[a-z]+)`;
const ITEM = String.raw`(?:\*(?:/\d{1,2})?|${VALUE}(?:-${VALUE}(?:/\d{1,2})?)?)`;
const PLAIN = new RegExp(`^${ITEM}(?:,${ITEM})*$`, "i");
const MONTH_OR_DAY = /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)$/i;

/** From here on a time is looked for: any that comes at all comes within a cycle of leap years. */
const SOME_TIME = new Date(Date.UTC(2026, 0, 1));

/** What is wrong with a cron expression; null when nothing is. */
export function cronProblem(cron: string): string | null {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5) return `expected five fields (minute, hour, day, month, weekday), got ${fields.length}`;
  for (const field of fields) {
    const words = field.match(/[a-z]+/gi) ?? [];
    if (PLAIN.test(field) && words.every((word) => MONTH_OR_DAY.test(word))) continue;
    return `expected *, 5, 1-5, */15, 1-30/5 or a list of them, with months and weekdays also as mon or jan, got ${JSON.stringify(field.slice(0, 40))}`;
  }
  try {
    const first = new Cron(fields.join(" "), { ...OPTIONS, timezone: "UTC" }).nextRun(SOME_TIME);
    return first === null
      ? `expected a time that comes, got ${JSON.stringify(cron.slice(0, 80))}, which no year has`
      : null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return `expected a cron expression, got ${JSON.stringify(cron.slice(0, 80))}: ${message.replace(/^CronPattern: /, "")}`;
  }
}

/** Whether it is the name of a zone in the IANA database, as far as this Node knows it. */
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

/**
 * The instants at which a cron expression comes in a time zone. Fixed times (no `*` and no step in minute and hour) come once each day that
 * has them: one that the change to summer time leaves out comes at the moment of the change, and one that the change back repeats comes the
 * first time. All others follow the clock on the wall: what is left out does not come, what is repeated comes twice.
 */
export class CronTimes {
  readonly #cron: Cron;

  /** Error: `definition-invalid`. */
  constructor(cron: string, timezone: string) {
    const problem = isTimeZone(timezone)
      ? cronProblem(cron)
      : `expected an IANA time zone such as Europe/Berlin, got ${JSON.stringify(timezone.slice(0, 80))}`;
    if (problem !== null) throw new RuntimeError("definition-invalid", problem, { cron, timezone });
    this.#cron = new Cron(cron.trim(), { ...OPTIONS, timezone });
  }

  /** The first one after that instant, both in ms since the epoch; null: none comes. */
  after(atMs: number): number | null {
    return this.#cron.nextRun(new Date(atMs))?.getTime() ?? null;
  }

  /** Those after the first instant, up to and with the second, oldest first; at most `limit`. */
  between(afterMs: number, toMs: number, limit: number): number[] {
    const found: number[] = [];
    for (let next = this.after(afterMs); next !== null && next <= toMs && found.length < limit; next = this.after(next))
      found.push(next);
    return found;
  }

  /** The newest `limit` of those, oldest first. Looks at a few times as many, however many there are. */
  newest(afterMs: number, toMs: number, limit: number): number[] {
    const oldest = this.between(afterMs, toMs, limit + 1);
    if (oldest.length <= limit) return oldest;
    const most = 2 * limit + 1;
    // How far back too few are found, and from how far back on too many.
    let [few, many] = [0, Number.POSITIVE_INFINITY];
    for (let span = limit * MINUTE_MS; ; span = many === Number.POSITIVE_INFINITY ? 2 * span : (few + many) / 2) {
      const from = Math.max(afterMs, Math.floor(toMs - span));
      const found = this.between(from, toMs, most + 1);
      if (found.length > most && span > MINUTE_MS) many = span;
      else if (found.length >= limit || from === afterMs || many - few < MINUTE_MS) return found.slice(-limit);
      else few = span;
    }
  }
}

const MINUTE_MS = 60_000;
