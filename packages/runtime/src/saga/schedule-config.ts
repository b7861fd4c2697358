import { RuntimeError } from "../errors.js";
import type { JsonObject } from "../json.js";
import {
  catchUpOf,
  checkedSchedule,
  type ScheduleDefinition,
  type ScheduleInput,
  type ScheduleOptions,
  type ScheduleOverlap,
  scheduleOf,
} from "../schedule/schedule-definition.js";
import { inputExpression } from "./expression.js";

/** The keys of a task that make a schedule, of whatever type the task is. */
export interface ScheduleConfig {
  /** The task's. */
  readonly name: string;
  /** Cron expression at which its runs begin by themselves: minute, hour, day, month, weekday. Default: none does. */
  readonly schedule?: string;
  /** IANA zone of the schedule. Default `UTC`. */
  readonly timezone?: string;
  /** What a tick does while a run of an earlier one goes on. Default `skip`. */
  readonly overlap?: ScheduleOverlap;
  /** Whether missed ticks are made up for: the newest 100, or so many. Default false. */
  readonly catch_up?: boolean | number;
  /** What its runs are given: a JSON object, of which texts written `${ expression }` are JSONata over `tick`, an ISO 8601 time in UTC. Default `{}`. */
  readonly schedule_input?: JsonObject;
}

/** Nothing without a cron expression. Error: `definition-invalid`, also for the other keys without it. */
export function scheduleFromConfig(task: ScheduleConfig): { readonly schedule?: ScheduleDefinition } {
  const { name, schedule: cron, timezone = "UTC", overlap = "skip", catch_up } = task;
  if (cron === undefined) {
    const lone = (["timezone", "overlap", "catch_up", "schedule_input"] as const).find(
      (key) => task[key] !== undefined,
    );
    if (lone === undefined) return {};
    const message = `expected ${lone} of "${name}" beside schedule, got no schedule`;
    throw new RuntimeError("definition-invalid", message, { definition: name });
  }
  const schedule = { cron, timezone, overlap, catchUp: catchUpOf(catch_up) };
  return { schedule: checkedSchedule(name, { ...schedule, input: inputOf(name, task.schedule_input) }) };
}

/** Of a definition in code, whose input may be a template, too. Error: `definition-invalid`. */
export function declaredSchedule(name: string, options: ScheduleOptions): ScheduleDefinition {
  const schedule = scheduleOf(name, options);
  return typeof options.input === "function" ? schedule : { ...schedule, input: inputOf(name, options.input) };
}

function inputOf(name: string, template: JsonObject = {}): ScheduleInput {
  const text = JSON.stringify(template);
  if (!text.includes("${")) return { kind: "fixed", value: template };
  const { evaluate } = inputExpression(template, `${name}.schedule_input`);
  const compute = (tick: string): unknown =>
    evaluate({ input: {}, outputs: {}, context: {}, tick, now: Date.parse(tick) });
  return { kind: "computed", source: text, compute };
}
