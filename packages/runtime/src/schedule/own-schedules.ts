import type { SagaDefinition } from "../saga/definition.js";
import type { ScheduleRegistration } from "../store/schedule-store.js";
import { CronTimes } from "./cron.js";
import { fingerprintOf, type ScheduleDefinition } from "./schedule-definition.js";

/** A schedule of this process. */
export interface OwnSchedule {
  readonly definition: SagaDefinition;
  readonly schedule: ScheduleDefinition;
  readonly times: CronTimes;
  readonly fingerprint: string;
}

/** By name, of the definitions that have one. */
export function ownSchedules(definitions: readonly SagaDefinition[]): ReadonlyMap<string, OwnSchedule> {
  const own = new Map<string, OwnSchedule>();
  for (const definition of definitions) {
    const { name, version, schedule } = definition;
    if (schedule === undefined) continue;
    const times = new CronTimes(schedule.cron, schedule.timezone);
    own.set(name, { definition, schedule, times, fingerprint: fingerprintOf(version, schedule) });
  }
  return own;
}

/** Also of definitions without a schedule: they may have had one. */
export function registrationsOf(
  definitions: readonly SagaDefinition[],
  own: ReadonlyMap<string, OwnSchedule>,
): ScheduleRegistration[] {
  return definitions.map(({ name, version }) => {
    const found = own.get(name);
    if (found === undefined) return { name, schedule: null };
    const { cron, timezone, overlap, catchUp } = found.schedule;
    return { name, schedule: { version, cron, timezone, overlap, catchUp, fingerprint: found.fingerprint } };
  });
}

/** What the run of that tick is given. Whatever the user's function throws. */
export async function inputOf({ schedule }: OwnSchedule, tick: string): Promise<unknown> {
  return schedule.input.kind === "fixed" ? schedule.input.value : schedule.input.compute(tick);
}
