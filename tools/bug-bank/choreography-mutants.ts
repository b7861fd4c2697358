import type { Mutant } from "./mutant.js";

const src = (path: string): string => `packages/runtime/src/${path}`;

const CASES = { tests: [src("choreography/choreography.test.ts")] };
const ORDER = { tests: [src("choreography/event-order.test.ts")] };
const SAME_EFFECTS = { tests: [src("choreography/same-effects.property.test.ts")] };

/** Of sagas whose stages react to each other's events. */
export const choreographyMutants: readonly Mutant[] = [
  {
    name: "choreography: a stage that is to be undone before it began leaves no trace of that",
    files: [src("choreography/reactions.ts")],
    find: "        if (await this.#create(of, unit, event, true)) return;\n        continue;",
    replace:
      "        await events.put([compensatedEvent(of.saga, unit, event.run, event.isLate, ports.clock.now())]);\n        return;",
    ...ORDER,
  },
  {
    name: "choreography: a stage begins though it was undone before",
    files: [src("choreography/entrance.ts")],
    find: "if (!isDead)",
    replace: "if (of !== undefined)",
    ...ORDER,
  },
  {
    name: "choreography: what a stage was told in the moment of its end is lost",
    files: [src("choreography/reactions.ts")],
    find: "if (ended !== undefined && unread && mayHaveMissed(units, ended, news))",
    replace: "if (ended !== undefined && unread && units.all.length === 0 && mayHaveMissed(units, ended, news))",
    ...ORDER,
  },
  {
    name: "choreography: a gate waits for the first of its wave only",
    files: [src("choreography/unit-saga.ts")],
    find: "after.map(waitFor)",
    replace: "after.slice(0, 1).map(waitFor)",
    ...CASES,
  },
  {
    name: "choreography: going back begins at the stage that failed",
    files: [src("choreography/reactions.ts")],
    find: "await this.#undo(of, units.turn, event);",
    replace: "await this.#undo(of, units.all.find(({ name }) => name === unit) ?? units.turn, event);",
    ...SAME_EFFECTS,
  },
  {
    name: "choreography: going back passes one stage by",
    files: [src("choreography/units.ts")],
    find: "unit.name === name) - 1]",
    replace: "unit.name === name) - 2]",
    ...CASES,
  },
  {
    name: "choreography: a run is undone though it has passed its pivot",
    files: [src("choreography/reactions.ts")],
    find: "if (isDone && unit === of.units.turn && of.units.hasPivot)",
    replace: "if (isDone && unit.name === run.id)",
    ...ORDER,
  },
  {
    name: "choreography: the observer hears of an end after the next stage",
    files: [src("choreography/reactions.ts")],
    find: "    if (isWritten === null) await this.#tell(event);\n    for (const each of known) await this.#react(each, event, unread);\n",
    replace:
      "    for (const each of known) await this.#react(each, event, unread);\n    if (isWritten === null) await this.#tell(event);\n",
    tests: [src("choreography/reactions.test.ts")],
  },
  {
    name: "choreography: what was told in passing and never written is told to nobody",
    files: [src("choreography/reactions.ts")],
    find: "    if ((await isWritten) === false) await this.#tell(event);\n",
    replace: "",
    tests: [src("choreography/reactions.test.ts")],
  },
  {
    name: "choreography: an event to which no reaction was possible at once is forgotten",
    files: [src("choreography/twice.ts")],
    find: "      () => false,\n",
    replace: "      () => true,\n",
    tests: [src("choreography/own-events.test.ts"), src("choreography/twice.test.ts")],
  },
  {
    name: "choreography: an event of a saga that is not known here is passed by",
    files: [src("choreography/reactions.ts")],
    find: "return event === null || this.#options.find(event.saga, event.version).length > 0;",
    replace: "return event !== undefined;",
    tests: [src("choreography/different-definitions.test.ts")],
  },
  {
    name: "choreography: what a stage was told in the moment of its end is lost before one that is elsewhere",
    files: [src("choreography/reactions.ts")],
    find: "ended === units.turn || isFollowedElsewhere(units, ended)",
    replace: "ended === units.turn || (units.all.length === 0 && isFollowedElsewhere(units, ended))",
    tests: [src("choreography/two-services.test.ts")],
  },
  {
    name: "choreography: a stage that has begun meanwhile is taken for one that never will",
    files: [src("choreography/reactions.ts")],
    find: " && entryOf(result.run).isDead === entryOf(run).isDead;",
    replace: ";",
    tests: [src("choreography/begun-meanwhile.test.ts")],
  },
  {
    name: "calls: a reply that cannot be stored now is given up",
    files: [src("calls/call-server.ts")],
    find: "await answer({ ...request, signal }))]);",
    replace: "await answer({ ...request, signal }))]).catch(() => []);",
    tests: [src("calls/failing.test.ts")],
  },
  {
    name: "calls: what comes after its caller's time is performed",
    files: [src("calls/call-server.ts")],
    find: "if (lateMs > 0) {",
    replace: "if (lateMs > Number.MAX_SAFE_INTEGER) {",
    tests: [src("calls/calls.test.ts")],
  },
  {
    name: "choreography: a stage's fence is its own, and refuses its siblings",
    files: [src("worker/attempt-call.ts")],
    find: "plan.definition.unit === undefined ? state.fence + (origin?.fence ?? 0) : 1",
    replace: "state.fence + (origin?.fence ?? 0)",
    ...CASES,
  },
  {
    name: "choreography: a stage that has gone on is said to be stuck by an event that comes late",
    files: [src("engine/observe.ts")],
    find: "      if (step !== null && isOver(step, event)) return [];\n",
    replace: "",
    tests: [src("engine/observe.test.ts")],
  },
  {
    name: "choreography: of two stuck stages the run forgets one",
    files: [src("engine/stuck.ts")],
    find: "  for (const stuck of state.stuckUnits?.values() ?? []) state.stuck = stuck;\n",
    replace: "",
    ...CASES,
  },
  {
    name: "choreography: a stage that cannot tell its end is stuck in silence",
    files: [src("worker/run-driver.ts")],
    find: "{ consumed, kept, events }",
    replace: "{ consumed, kept, events: events.slice(0, 0) }",
    ...CASES,
  },
  {
    name: "a run that was claimed without a reply is claimed after its end",
    files: [src("worker/worker.ts")],
    find: '    if (how === "adopted") driver?.adopt();\n    if (inherited !== null) driver?.begin(inherited);\n',
    replace: '    if (inherited !== null) driver?.begin(inherited);\n    if (how === "adopted") driver?.adopt();\n',
    ...CASES,
  },
  {
    name: "NATS: servers are tried again by the wall clock",
    files: [src("brokers/nats/connection.ts")],
    find: "...reconnectPace(settings) ",
    replace: "reconnectDelayHandler: () => 250 ",
    tests: [src("brokers/nats/failing.test.ts")],
    only: "set back",
  },
];
