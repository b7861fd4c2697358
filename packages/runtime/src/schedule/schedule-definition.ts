import { createHash } from "node:crypto";
import { RuntimeError } from "../errors.js";
import { canonicalJson, isObject, type Json, type JsonObject, toJson } from "../json.js";
import { CronTimes } from "./cron.js";

/** When a definition's runs begin by themselves. */
export interface ScheduleDefinition {
  /** Minute, hour, day, month, weekday. */
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
  readonly overlap: ScheduleOverlap;
  /** How many missed ticks are made up for, the newest of them; 0: none. */
  readonly catchUp: number;
  readonly input: ScheduleInput;
}

/**
 * What a tick does while a run of an earlier one goes on. `skip`: nothing. `queue`: its run begins when that one has ended; of several that
 * wait the first one does, and the others are skipped. `cancel`: that one is canceled, and the new one begins when it has ended; of several that
 * wait the last one does.
 */
export type ScheduleOverlap = "skip" | "queue" | "cancel";

export type ScheduleInput =
  | { readonly kind: "fixed"; readonly value: JsonObject }
  /** `source` tells one from another; null: a function, whose changes nobody sees. `tick` is ISO 8601 in UTC. */
  | { readonly kind: "computed"; readonly source: string | null; readonly compute: (tick: string) => unknown };

export interface ScheduleOptions {
  /** Five fields: minute, hour, day, month, weekday. */
  readonly cron: string;
  /** IANA name, such as `Europe/Berlin`. Default `UTC`. */
  readonly timezone?: string;
  /** What a tick does while a run of an earlier one goes on. Default `skip`. */
  readonly overlap?: ScheduleOverlap;
  /**
   * Whether ticks are made up for that came while nothing ran or the schedule was paused: one after the other, oldest first, the newest 100 or as
   * many as the number says (at most 1,000). A tick less than a minute late is none of those. Default false.
   */
  readonly catchUp?: boolean | number;
  /**
   * What its runs are given: a JSON object, of which texts written `${ expression }` are JSONata over `tick`, or a function of it; the tick is an
   * ISO 8601 time in UTC. Default `{}`.
   */
  readonly input?: JsonObject | ((tick: string) => unknown);
}

const DEFAULT_CATCH_UP = 100;
const MOST_CAUGHT_UP = 1_000;
const OVERLAPS: readonly string[] = ["skip", "queue", "cancel"];

/** With its defaults. Error: `definition-invalid` naming the definition. */
export function scheduleOf(name: string, options: ScheduleOptions): ScheduleDefinition {
  const { cron, timezone = "UTC", overlap = "skip", input = {} } = options;
  return checkedSchedule(name, {
    ...{ cron, timezone, overlap, catchUp: catchUpOf(options.catchUp) },
    input:
      typeof input === "function"
        ? { kind: "computed", source: null, compute: input }
        : { kind: "fixed", value: input },
  });
}

/** `true` is the default bound. */
export function catchUpOf(catchUp: boolean | number = false): number {
  if (typeof catchUp === "number") return catchUp;
  return catchUp ? DEFAULT_CATCH_UP : 0;
}

export function checkedSchedule(name: string, schedule: ScheduleDefinition): ScheduleDefinition {
  const { cron, timezone, overlap, catchUp, input } = schedule;
  const refuse = (message: string): never => {
    throw new RuntimeError("definition-invalid", `the schedule of "${name}": ${message}`, { definition: name });
  };
  try {
    new CronTimes(String(cron), String(timezone));
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
  if (!OVERLAPS.includes(overlap))
    refuse(`expected overlap "skip", "queue" or "cancel", got ${JSON.stringify(overlap)}`);
  if (!Number.isInteger(catchUp) || catchUp < 0 || catchUp > MOST_CAUGHT_UP)
    refuse(`expected catchUp true, false or 0 to ${MOST_CAUGHT_UP} ticks, got ${JSON.stringify(catchUp)}`);
  if (input.kind === "fixed" && !isObject(fixedInput(name, input.value)))
    refuse(`expected its input to be a JSON object, got ${JSON.stringify(input.value).slice(0, 60)}`);
  return schedule;
}

function fixedInput(name: string, value: Json): Json {
  try {
    return toJson(value, "its input");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RuntimeError("definition-invalid", `the schedule of "${name}": ${why}`, { definition: name });
  }
}

/** Two instances that have the same one do the same at each tick. */
export function fingerprintOf(
  version: string,
  { cron, timezone, overlap, catchUp, input }: ScheduleDefinition,
): string {
  const given = input.kind === "fixed" ? input.value : { source: input.source };
  const text = canonicalJson({ version, cron, timezone, overlap, catchUp, [input.kind]: given });
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
