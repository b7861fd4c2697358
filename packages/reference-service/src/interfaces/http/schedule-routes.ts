/** Schedules: operators see when they began runs and when they will, hold them up, make up for a range, and start a run now. */
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { JsonObject as JsonInput, Runs, ScheduleView } from "../../application/ports/runs.js";
import { idempotencyKeyOf } from "./idempotency-key.js";
import { Problem } from "./problem.js";
import {
  closed,
  isoTime,
  isoTimeOrNull,
  JsonObject,
  OptionalTimestamp,
  operatorOnly,
  page,
  Timestamp,
} from "./schemas.js";
import { asked } from "./verb-routes.js";

const tags = ["schedules"];
const path = "/api/v1/schedules";
const Name = Type.Object({ name: Type.String({ minLength: 1, maxLength: 128, description: "Of the definition." }) });
const Asked = closed(asked);
const Trigger = closed({ ...asked, input: Type.Optional(JsonObject) });
const Range = closed({
  from: Type.String({ maxLength: 40, description: "The first tick at the earliest: an ISO 8601 time." }),
  to: Type.String({ maxLength: 40, description: "The last tick at the latest, and in the past." }),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100, description: "Ticks at most." })),
});
const Filled = Type.Object({
  runs: Type.Array(
    Type.Object({
      tick: Timestamp,
      id: Type.String({ description: "Of the run." }),
      replayed: Type.Boolean({ description: "The tick had this run before." }),
    }),
  ),
  next: Type.Union([Timestamp, Type.Null()], { description: "From where the rest begins; null: there is none." }),
});
const Schedule = Type.Object({
  name: Type.String(),
  cron: Type.String(),
  timezone: Type.String(),
  overlap: Type.String({ description: "skip queue cancel" }),
  catch_up: Type.Integer({ description: "Missed ticks that are made up for, at most." }),
  active: Type.Boolean({ description: "False: its definition has no schedule any more." }),
  paused: Type.Union([Type.Object({ at: Timestamp, actor: Type.String(), reason: Type.String() }), Type.Null()]),
  last_tick: OptionalTimestamp,
  last_run: Type.Union([JsonObject, Type.Null()]),
  next_runs: Type.Array(Timestamp),
  waiting: Type.Union([Timestamp, Type.Null()], {
    description: "The tick whose run begins when another one has ended.",
  }),
  skipped: Type.Integer({ description: "Ticks that another run kept from beginning one." }),
  missed: Type.Integer({ description: "Ticks that nobody was there for, or whose run could not begin." }),
  idle: Type.Union([Type.String(), Type.Null()], { description: "Why it does nothing now." }),
  note: Type.Union([JsonObject, Type.Null()], { description: "What last was not as usual." }),
});

export function scheduleRoutes(app: FastifyInstance, { runs }: { readonly runs: Runs }): void {
  const shared = { tags, security: operatorOnly };
  const headers = Type.Object({ "idempotency-key": Type.Optional(Type.String()) });

  async function find(name: string): Promise<object> {
    const found = (await runs.schedules()).find((schedule) => schedule.name === name);
    if (found === undefined) throw new Problem(404, "schedule-unknown", "No schedule of that name is known.");
    return presentSchedule(found);
  }

  app.get(
    path,
    { schema: { ...shared, summary: "Schedules with their next runs", response: { 200: page(Schedule) } } },
    async () => ({
      items: (await runs.schedules()).map(presentSchedule),
      next_cursor: null,
    }),
  );

  for (const [verb, summary] of [
    ["pause", "Begin no runs at its ticks until it is resumed"],
    ["resume", "Begin runs at its ticks again; those it missed by its catch-up"],
  ] as const) {
    app.post<{ Params: Static<typeof Name>; Body: Static<typeof Asked> }>(
      `${path}/:name/${verb}`,
      { schema: { ...shared, summary, params: Name, body: Asked, response: { 200: Schedule } } },
      async (request) => {
        const { reason, actor = "operator" } = request.body;
        const { name } = request.params;
        await (verb === "pause"
          ? runs.pauseSchedule(name, { reason, actor })
          : runs.resumeSchedule(name, { reason, actor }));
        return find(name);
      },
    );
  }

  app.post<{ Params: Static<typeof Name>; Body: Static<typeof Range> }>(
    `${path}/:name/backfill`,
    {
      schema: {
        ...shared,
        summary: "Start a run for each tick of a range in the past; a tick that has one keeps it",
        params: Name,
        body: Range,
        response: { 202: Filled },
      },
    },
    async (request, reply) => {
      const { from, to, limit = 100 } = request.body;
      const range = { from: timeOf("from", from), to: timeOf("to", to), limit };
      const { runs: filled, next } = await runs.backfill(request.params.name, range);
      const shown = filled.map(({ tick, run: id, replayed }) => ({ tick: isoTime(tick), id, replayed }));
      return reply.code(202).send({ runs: shown, next: isoTimeOrNull(next) });
    },
  );

  app.post<{ Params: Static<typeof Name>; Body: Static<typeof Trigger> & { input?: JsonInput } }>(
    `${path}/:name/trigger`,
    {
      schema: {
        ...shared,
        summary: "Start a run of it now",
        params: Name,
        headers,
        body: Trigger,
        response: { 202: Type.Object({ id: Type.String(), status: Type.String() }) },
      },
    },
    async (request, reply) => {
      const { reason, actor = "operator", input } = request.body;
      const idempotencyKey = idempotencyKeyOf(request.headers["idempotency-key"]);
      const { id, replayed } = await runs.triggerSchedule(request.params.name, {
        ...{ reason, actor },
        ...(input === undefined ? {} : { input }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      if (replayed) reply.header("idempotency-replayed", "true");
      return reply.code(202).header("location", `/api/v1/runs/${id}`).send({ id, status: "pending" });
    },
  );
}

function presentSchedule(schedule: ScheduleView): object {
  const { name, cron, timezone, overlap, catchUp, active, paused, lastTick, lastRun, nextRuns, waiting } = schedule;
  const { skipped, missed, idle, note } = schedule;
  return {
    ...{ name, cron, timezone, overlap, catch_up: catchUp, active },
    paused: paused && { ...paused, at: isoTime(paused.at) },
    last_tick: isoTimeOrNull(lastTick),
    last_run: lastRun && { ...lastRun, tick: isoTime(lastRun.tick) },
    next_runs: nextRuns.map(isoTime),
    waiting: isoTimeOrNull(waiting),
    ...{ skipped, missed, idle },
    note: note && { ...note, at: isoTime(note.at) },
  };
}

function timeOf(key: string, text: string): number {
  const at = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new Problem(422, "validation-failed", "The request's body does not fit.", {
    errors: [{ path: key, message: "expected an ISO 8601 time with its zone" }],
  });
}
