import { sleep, uuidV7 } from "../ports.js";
import type { RunTick } from "../store/run-schedules.js";
import { tickKey } from "../store/schedule-judge.js";
import type { ScheduleRow, TickResult } from "../store/schedule-store.js";
import { dueTick } from "./due-tick.js";
import { inputOf, type OwnSchedule, ownSchedules, registrationsOf } from "./own-schedules.js";
import type { ScheduleCounts, SchedulerOptions } from "./scheduler-options.js";

/** The store is looked at this often at least: its clock may have been set, and others may have registered. */
const NAP_MS = 15_000;
/** While a tick waits for a run to end, the lease is not there, or the store does not answer. */
const SHORT_NAP_MS = 1_000;
/** The store's clock is a little behind what it was thought to be. */
const EARLY_NAP_MS = 10;
/** Ticks of one schedule in one round: of those made up for, whose runs end at once. */
const MOST_AT_ONCE = 100;

/**
 * Begins the runs of this instance's schedules when their ticks come. Every instance does, and of each tick the store gives one of them the run:
 * nobody has to be found out as dead for the next tick to come. It sleeps until the next tick by the store's clock, a bounded time at most,
 * and does nothing without a lease that holds. What the store has not answered is looked at anew.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #own: ReadonlyMap<string, OwnSchedule>;
  readonly #stop = new AbortController();
  readonly #counts = {
    ticks: 0,
    skipped: 0,
    missed: 0,
    latenessMs: null as number | null,
    maxLatenessMs: null as number | null,
  };
  /** Revisions of registrations that are not this instance's, as far as it was said. */
  readonly #superseded = new Map<string, number>();
  #begun = false;
  #wake: () => void = () => {};
  #poked = false;
  #loop: Promise<void> | null = null;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#own = ownSchedules(options.definitions);
  }

  get counts(): ScheduleCounts {
    return { ...this.#counts };
  }

  /** Twice is once. */
  start(): void {
    this.#loop ??= this.#run(this.#stop.signal);
  }

  /** Resolves when nothing is begun any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#loop;
  }

  /** Something may be due: look now instead of after the nap. */
  poke(): void {
    this.#poked = true;
    this.#wake();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { ports, logger } = this.#options;
    while (!signal.aborted) {
      this.#poked = false;
      let napMs: number | null = SHORT_NAP_MS;
      try {
        napMs = await this.#round();
      } catch (error) {
        logger.warn({ error: String(error) }, "schedules could not be looked at; trying again");
      }
      // Nobody here has a schedule, or had one.
      if (napMs === null) return;
      if (this.#poked) continue;
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      if (!signal.aborted) await sleep(ports.clock, napMs, woken.signal);
    }
  }

  /** For how long nothing is to be done, ms; null: there is nothing ever. */
  async #round(): Promise<number | null> {
    const { store, ports, definitions, isTrusted } = this.#options;
    if (!isTrusted()) return SHORT_NAP_MS;
    const registrations = registrationsOf(definitions, this.#own);
    const { now, rows } = await store.register(registrations, this.#begun ? "keep" : "begin");
    this.#begun = true;
    if (rows.length === 0) return null;
    const askedAt = ports.clock.monotonic();
    const storeNow = (): number => Math.floor(now + ports.clock.monotonic() - askedAt);
    let napMs = NAP_MS;
    for (const row of rows) {
      const own = this.#own.get(row.name);
      if (own !== undefined && this.#isOurs(row, own)) napMs = Math.min(napMs, await this.#attend(row, own, storeNow));
    }
    return napMs;
  }

  #isOurs({ name, revision, fingerprint, active }: ScheduleRow, own: OwnSchedule): boolean {
    if (active && fingerprint === own.fingerprint) {
      if (this.#superseded.delete(name))
        this.#options.logger.info({ schedule: name }, "the schedule is this version's again");
      return true;
    }
    if (this.#superseded.get(name) !== revision)
      this.#options.logger.warn(
        { schedule: name, revision },
        "another version of this service registered the schedule after this one; its ticks are left to that one",
      );
    this.#superseded.set(name, revision);
    return false;
  }

  /** Does what is due. For how long nothing more is, ms. */
  async #attend(first: ScheduleRow, own: OwnSchedule, now: () => number): Promise<number> {
    let row = first;
    let isWaitingHeld = false;
    for (let n = 0; n < MOST_AT_ONCE; n++) {
      if (row.paused !== null || !row.active) return NAP_MS;
      if (this.#stop.signal.aborted || !this.#options.isTrusted()) return SHORT_NAP_MS;
      let tick: RunTick;
      if (row.waiting !== null && !isWaitingHeld) tick = await this.#tickOf(row, own, row.waiting, "waiting", 0);
      else {
        const due = dueTick(own.times, row, now());
        if (due.kind === "later") {
          const leftMs = due.at === null ? NAP_MS : Math.max(EARLY_NAP_MS, due.at - now());
          return Math.min(leftMs, isWaitingHeld ? SHORT_NAP_MS : NAP_MS);
        }
        tick =
          due.kind === "tick"
            ? await this.#tickOf(row, own, due.at, due.how, due.missed)
            : { ...at(row, due.at), how: "late", missed: due.missed, run: null };
      }
      const result = await this.#options.store.tick(tick);
      this.#tell(tick, result, now());
      if (result.kind === "early") return EARLY_NAP_MS;
      if (result.kind === "resting" || result.kind === "unknown") return SHORT_NAP_MS;
      if (result.kind === "held" && tick.how !== "waiting" && result.row.waiting === null) return SHORT_NAP_MS;
      // One that waits has come free meanwhile: it goes first.
      isWaitingHeld = result.kind === "held" ? tick.how === "waiting" : isWaitingHeld && result.kind !== "started";
      row = result.kind === "rejected" ? await this.#refused(tick, result.reason, result.row, now) : result.row;
    }
    return 0;
  }

  async #tickOf(
    row: ScheduleRow,
    own: OwnSchedule,
    atMs: number,
    how: RunTick["how"],
    missed: number,
  ): Promise<RunTick> {
    const tick = { ...at(row, atMs), how, missed };
    try {
      const input = await inputOf(own, new Date(atMs).toISOString());
      const key = tickKey(row.name, atMs);
      return { ...tick, run: await this.#options.newRun(own.definition, input, key, uuidV7(this.#options.ports)) };
    } catch (error) {
      return this.#failed(tick, error instanceof Error ? error.message : String(error));
    }
  }

  #failed(tick: Omit<RunTick, "run" | "why">, reason: string): RunTick {
    const message = `the run of the tick of ${new Date(tick.at).toISOString()} could not begin: ${reason}`;
    this.#options.logger.error({ schedule: tick.name, error: reason }, "the run of a tick could not begin");
    return { ...tick, run: null, why: { kind: "failed", message: message.slice(0, MAX_NOTE) } };
  }

  /** Its run cannot be stored: another try would not change that. */
  async #refused(tick: RunTick, reason: string, row: ScheduleRow, now: () => number): Promise<ScheduleRow> {
    const failed = this.#failed(tick, reason);
    const result = await this.#options.store.tick(failed);
    this.#tell(failed, result, now());
    return result.kind === "unknown" ? row : result.row;
  }

  #tell(tick: RunTick, result: TickResult, now: number): void {
    const { logger, began, canceled } = this.#options;
    const counts = this.#counts;
    const facts = { schedule: tick.name, tick: new Date(tick.at).toISOString() };
    if (result.kind === "started" || result.kind === "missed") {
      const missed = tick.missed + (result.kind === "missed" ? 1 : 0);
      counts.missed += missed;
      if (missed > 0) logger.warn({ ...facts, missed }, "ticks of a schedule were missed");
    }
    if (result.kind === "skipped") counts.skipped += 1;
    if (result.kind === "waits") for (const run of result.canceled) canceled(run);
    if (result.kind !== "started" || tick.run === null) return;
    began(tick.run);
    if (!result.created) return;
    counts.ticks += 1;
    if (tick.how !== "on-time") return;
    counts.latenessMs = Math.max(0, now - tick.at);
    counts.maxLatenessMs = Math.max(counts.latenessMs, counts.maxLatenessMs ?? 0);
  }
}

const MAX_NOTE = 1_000;

function at({ name, revision, lastTick }: ScheduleRow, atMs: number) {
  return { name, revision, after: lastTick, at: atMs };
}
