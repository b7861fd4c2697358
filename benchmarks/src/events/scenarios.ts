/**
 * What is measured. An act is an event on its way from the commit (or the publish) to its handled effect, or a saga of five stages from its
 * start to its end; each contender has one kind. The load is a closed loop: `inFlight` acts at any time, and as one ends the next begins.
 */
export interface EventScenario {
  readonly kind: ActKind;
  readonly name: ScenarioName;
  readonly title: string;
  readonly inFlight: number;
  /** How long acts are begun, ms; those in flight then are finished and counted, with the time that takes. */
  readonly startFor: number;
  /** Before each act nothing happens for a time between these two, ms: the system is idle, and no timer keeps step. Null: no pause. */
  readonly pauseMs: readonly [least: number, most: number] | null;
}

export type ActKind = "event" | "saga";
export type ScenarioName = "event-100" | "event-idle" | "saga-100" | "saga-1";

/** Stages of a saga: functions of the contender's process that return a small object. */
export const STAGES = 5;
/** Events of a choreographed one: that it has started, and that each stage has completed. A chain of bare hops has as many messages. */
export const MESSAGES = STAGES + 1;

const hundred = { inFlight: 100, startFor: 3_000, pauseMs: null } as const;
const one = { inFlight: 1, startFor: 2_000, pauseMs: null } as const;

export const SCENARIOS: readonly EventScenario[] = [
  { ...hundred, kind: "event", name: "event-100", title: "events, 100 in flight" },
  {
    ...{ ...one, kind: "event", name: "event-idle", title: "events, one at a time on an idle system" },
    ...{ startFor: 6_000, pauseMs: [10, 60] },
  },
  { ...hundred, kind: "saga", name: "saga-100", title: `sagas of ${STAGES} stages, 100 in flight` },
  { ...one, kind: "saga", name: "saga-1", title: `sagas of ${STAGES} stages, 1 in flight` },
];
