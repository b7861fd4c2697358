import { RuntimeError } from "../errors.js";
import type { JsonObject } from "../json.js";
import { uuidV7 } from "../ports.js";
import type { StartedRun } from "../saga/manager.js";
import type { RunSchedules } from "../store/run-schedules.js";
import type { CreateRun, RunStore } from "../store/run-store.js";
import { tickKey } from "../store/schedule-judge.js";
import type { ScheduleRow } from "../store/schedule-store.js";
import { inputOf, type OwnSchedule, ownSchedules } from "./own-schedules.js";
import type { Backfill, BackfillRange, ScheduleRequest, TriggerRequest } from "./schedule-requests.js";
import { type ScheduleView, scheduleView } from "./schedule-view.js";
import { Scheduler } from "./scheduler.js";
import type { ScheduleCounts, SchedulerOptions } from "./scheduler-options.js";

export interface SchedulesOptions extends Omit<SchedulerOptions, "store"> {
  readonly store: RunStore;
}

const MOST_FILLED = 1_000;
/** Runs created in one call of the store. */
const PIECE = 100;

/** The schedules of a store, and what operators ask of them. */
export class Schedules {
  readonly #options: SchedulesOptions;
  readonly #store: RunSchedules | null;
  readonly #own: ReadonlyMap<string, OwnSchedule>;
  readonly #scheduler: Scheduler | null;

  /** Error: `config-invalid` for a definition with a schedule on a store that keeps none. */
  constructor(options: SchedulesOptions) {
    const { schedules } = options.store;
    this.#options = options;
    this.#store = schedules ?? null;
    this.#own = ownSchedules(options.definitions);
    this.#scheduler = schedules === undefined ? null : new Scheduler({ ...options, store: schedules });
    const [first] = this.#own.keys();
    if (schedules !== undefined || first === undefined) return;
    const message = `expected a store of runs that keeps schedules, for "${first}", got one that does not`;
    throw new RuntimeError("config-invalid", message, { definition: first });
  }

  get counts(): ScheduleCounts | null {
    return this.#scheduler?.counts ?? null;
  }

  start(): void {
    this.#scheduler?.start();
  }

  async stop(): Promise<void> {
    await this.#scheduler?.stop();
  }

  async list(): Promise<readonly ScheduleView[]> {
    if (this.#store === null) return [];
    const { now, rows } = await this.#store.list();
    return Promise.all(
      rows.map(async (row) => {
        const run = row.lastRun === null ? undefined : await this.#options.store.get(row.lastRun.id);
        return scheduleView(row, run?.status ?? null, now);
      }),
    );
  }

  async pause(name: string, request: ScheduleRequest): Promise<void> {
    checkRequest(request);
    if ((await this.#store?.pause(name, request)) !== true) throw unknown(name, await this.#names());
    this.#options.logger.info(
      { schedule: name, actor: request.actor, reason: request.reason },
      "the schedule is paused",
    );
  }

  async resume(name: string, request: ScheduleRequest): Promise<void> {
    checkRequest(request);
    if ((await this.#store?.resume(name)) !== true) throw unknown(name, await this.#names());
    this.#options.logger.info(
      { schedule: name, actor: request.actor, reason: request.reason },
      "the schedule is resumed",
    );
    this.#scheduler?.poke();
  }

  async backfill(name: string, { from, to, limit = 100 }: BackfillRange): Promise<Backfill> {
    const own = this.#ownOf(name);
    const now = await this.#options.store.now();
    if (!(Number.isFinite(from) && Number.isFinite(to) && from <= to && to <= now))
      throw new RuntimeError(
        "input-invalid",
        `expected a range of the past, from a first instant to a last one, got ${shown(from)} to ${shown(to)}`,
      );
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_FILLED)
      throw new RuntimeError("input-invalid", `expected a limit of 1 to ${MOST_FILLED} ticks, got ${limit}`);
    // `from` may be a tick itself, and those are whole seconds.
    const ticks = own.times.between(Math.ceil(from) - 1, to, limit + 1);
    const begin = ticks.slice(0, limit);
    // Runs are taken in the order of their ids, and of those drawn in one moment that is anybody's.
    const ids = begin.map(() => uuidV7(this.#options.ports)).sort();
    const runs: Backfill["runs"][number][] = [];
    for (let first = 0; first < begin.length; first += PIECE)
      runs.push(...(await this.#fill(own, begin.slice(first, first + PIECE), ids.slice(first, first + PIECE))));
    return { runs, next: ticks[limit] ?? null };
  }

  async #fill(own: OwnSchedule, ticks: readonly number[], ids: readonly string[]): Promise<Backfill["runs"]> {
    const { store, began } = this.#options;
    const creates: CreateRun[] = [];
    for (const [index, tick] of ticks.entries())
      creates.push(await this.#runOf(own, tick, tickKey(own.definition.name, tick), undefined, ids[index]));
    const results = await store.create(creates);
    return ticks.map((tick, index) => {
      const [result, create] = [results[index], creates[index]];
      if (result === undefined || create === undefined || result.kind === "rejected") {
        const reason = result?.kind === "rejected" ? result.reason : "no answer";
        const message = `expected a run for the tick of ${shown(tick)} that the store takes, got one it refused: ${reason}`;
        throw new RuntimeError("input-invalid", message);
      }
      const replayed = result.kind === "existing";
      if (!replayed) began(create);
      return { tick, run: result.run.id, replayed };
    });
  }

  async trigger(name: string, request: TriggerRequest): Promise<StartedRun> {
    checkRequest(request);
    const own = this.#ownOf(name);
    const { store, ports, began, logger } = this.#options;
    const now = await store.now();
    const key = `schedule:${name}:now:${request.idempotencyKey ?? uuidV7(ports)}`;
    const run = await this.#runOf(own, now, key, request.input);
    const row = await this.#rowOf(name);
    const tick = {
      name,
      revision: row.revision,
      after: row.lastTick,
      at: now,
      how: "by-hand",
      missed: 0,
      run,
    } as const;
    const result = await this.#schedules.tick(tick);
    switch (result.kind) {
      case "started":
        if (result.created) {
          logger.info(
            { schedule: name, run: result.run.id, actor: request.actor, reason: request.reason },
            "a run of the schedule was started by hand",
          );
          began(run);
        }
        return { id: result.run.id, status: result.run.status, replayed: !result.created };
      case "rejected":
        throw new RuntimeError(
          "input-invalid",
          `expected an input that the store takes, got one it refused: ${result.reason}`,
        );
      case "held": {
        const message = `expected no run of schedule "${name}" to go on, got run ${result.by[0]}; wait for its end, or cancel it`;
        throw new RuntimeError("schedule-busy", message, { schedule: name, run: result.by[0] });
      }
      default: {
        const message = `expected schedule "${name}" to be registered as it is here, got another version of it; ask an instance of that one`;
        throw new RuntimeError("schedule-busy", message, { schedule: name });
      }
    }
  }

  /** Errors: `input-invalid`, `payload-too-large`. */
  async #runOf(own: OwnSchedule, tick: number, key: string, given?: JsonObject, id = uuidV7(this.#options.ports)) {
    const input = given ?? (await this.#inputOf(own, new Date(tick).toISOString()));
    return this.#options.newRun(own.definition, input, key, id);
  }

  async #inputOf(own: OwnSchedule, tick: string): Promise<unknown> {
    try {
      return await inputOf(own, tick);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `expected the schedule of "${own.definition.name}" to give the input of the tick of ${tick}, got an error: ${why}`;
      throw new RuntimeError("input-invalid", message, {}, { cause: error });
    }
  }

  get #schedules(): RunSchedules {
    if (this.#store !== null) return this.#store;
    throw new RuntimeError(
      "feature-unavailable",
      "expected a store of runs that keeps schedules, got one that does not",
    );
  }

  #ownOf(name: string): OwnSchedule {
    const own = this.#own.get(name);
    if (own === undefined) throw unknown(name, [...this.#own.keys()]);
    return own;
  }

  async #rowOf(name: string): Promise<ScheduleRow> {
    const { rows } = await this.#schedules.list();
    const row = rows.find((each) => each.name === name);
    if (row === undefined)
      throw unknown(
        name,
        rows.map((each) => each.name),
      );
    return row;
  }

  async #names(): Promise<readonly string[]> {
    return ((await this.#store?.list())?.rows ?? []).map(({ name }) => name);
  }
}

function checkRequest({ reason, actor }: ScheduleRequest): void {
  if (reason.trim() === "" || reason.length > 500)
    throw new RuntimeError("input-invalid", `expected a reason of 1 to 500 characters, got ${reason.length}`);
  if (actor === "") throw new RuntimeError("input-invalid", "expected an actor, got an empty one");
}

function unknown(name: string, known: readonly string[]): RuntimeError {
  const message = `expected the name of a schedule, got ${JSON.stringify(name.slice(0, 100))}; known are: ${known.join(", ") || "none"}`;
  return new RuntimeError("schedule-unknown", message, { name });
}

function shown(at: number): string {
  return Number.isFinite(at) && Math.abs(at) < 8.64e15 ? new Date(at).toISOString() : String(at);
}
