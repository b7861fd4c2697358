import { silentLogger } from "../log.js";
import type { SagaDefinition } from "../saga/definition.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { ProcessClock } from "../simulation/world/process-clock.js";
import type { RunSchedules } from "../store/run-schedules.js";
import type { RunStore } from "../store/run-store.js";
import type { ScheduleRow } from "../store/schedule-store.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";
import { createManualClock } from "../testing/manual-clock.js";
import { newRun } from "../testing/run-store-contract/harness.js";
import { CronTimes } from "./cron.js";
import { report } from "./schedule-bench.test.support.js";
import type { ScheduleOptions } from "./schedule-definition.js";
import { Scheduler } from "./scheduler.js";

interface Process {
  readonly scheduler: Scheduler;
  readonly clock: ProcessClock;
}

/** Until another process comes in the place of one that crashed, ms. */
const MOST_AWAY_MS = 900_000;
/** Of promises, between two timers. */
const TURNS = 10;

/**
 * Schedulers of several processes on one store, in virtual time, with faults drawn by a seed: processes crash, pause and come anew, calls are
 * lost, replies are lost or late. Runs last as long as chance says; nobody drives them but the world. It breaks off at the first breach.
 */
export class ScheduleWorld {
  readonly faults = { crash: 0, pause: 0, "call lost": 0, "reply lost": 0, "late reply": 0 };
  readonly #clock = createManualClock();
  readonly #world = createMemoryWorld();
  readonly #store: RunStore;
  readonly #random: SeededRandom;
  readonly #definition: SagaDefinition;
  readonly #options: ScheduleOptions;
  #processes: Process[] = [];
  /** Not begun by a tick of theirs, though a tick asked. */
  #foundAgain = 0;
  #mostOpen = 0;
  #isFaulty = true;

  constructor(seed: number, options: ScheduleOptions) {
    this.#random = new SeededRandom(seed);
    this.#options = options;
    this.#definition = report(options);
    this.#store = createMemoryRunStore({ clock: this.#clock, world: this.#world, workers: "many" });
  }

  /** Lets so many minutes pass, then ends the faults and lets some more. What became of the ticks. */
  async run(
    minutes: number,
  ): Promise<{ row: ScheduleRow; ticks: number; runs: number; mostOpen: number; foundAgain: number }> {
    await this.#store.open();
    this.#processes = [this.#start(true), this.#start(true)];
    for (let n = 0; n < minutes; n++) await this.#minute(true);
    this.#isFaulty = false;
    for (const { clock } of this.#processes) clock.crash();
    this.#processes = [this.#start(false)];
    for (let n = 0; n < 5; n++) await this.#minute(false);
    const [{ scheduler } = this.#start(false)] = this.#processes;
    await this.#until(scheduler.stop());
    const { rows } = await this.#schedules.list();
    const [row] = rows;
    if (row === undefined) throw new Error("expected the schedule to have been registered");
    const times = new CronTimes(this.#options.cron, this.#options.timezone ?? "UTC");
    const ticks = times.between(row.since, row.lastTick ?? row.since, 100_000).length;
    return { row, ticks, runs: this.#world.runs.size, mostOpen: this.#mostOpen, foundAgain: this.#foundAgain };
  }

  get #schedules(): RunSchedules {
    if (this.#store.schedules === undefined) throw new Error("expected a store with schedules");
    return this.#store.schedules;
  }

  async #minute(faulty: boolean): Promise<void> {
    const random = this.#random;
    for (let n = 0; n < 6; n++) {
      if (faulty && random.chance(0.1)) this.#disturb();
      for (const process of this.#processes) if (process.clock.isPaused && random.chance(0.3)) process.clock.resume();
      await this.#pass(5_000 + random.below(10_000));
      this.#endSome();
    }
  }

  /** One crashes and another comes in its place, or it pauses. */
  #disturb(): void {
    const at = this.#random.below(this.#processes.length);
    const process = this.#processes[at];
    if (process === undefined) return;
    if (this.#random.chance(0.5)) {
      this.faults.pause += 1;
      process.clock.pause();
      return;
    }
    this.faults.crash += 1;
    process.clock.crash();
    this.#clock.after(this.#random.below(MOST_AWAY_MS), () => {
      if (this.#isFaulty) this.#processes[at] = this.#start(true);
    });
  }

  #start(faulty: boolean): Process {
    const clock = new ProcessClock(this.#clock, this.#random.below(20_000) - 10_000, this.#random.below(1_000_000));
    const scheduler = new Scheduler({
      store: this.#wire(clock, faulty),
      definitions: [this.#definition],
      ports: { clock, random: this.#random },
      logger: silentLogger,
      isTrusted: () => true,
      newRun: async (_, input, key, id) => ({
        ...newRun(0, { id, rootId: id, key, input: input as object as never }),
        claim: null,
      }),
      began: () => {},
      canceled: () => {},
    });
    scheduler.start();
    return { scheduler, clock };
  }

  /** The store as that process reaches it. */
  #wire(clock: ProcessClock, faulty: boolean): RunSchedules {
    const wired =
      <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
      (...args: Args): Promise<Result> =>
        new Promise((resolve, reject) => {
          const random = this.#random;
          const lost = faulty && random.chance(0.05);
          const replyLost = faulty && random.chance(0.05);
          const late = faulty && random.chance(0.05);
          if (lost) this.faults["call lost"] += 1;
          if (replyLost) this.faults["reply lost"] += 1;
          if (late) this.faults["late reply"] += 1;
          const answer = (settle: () => void): void =>
            void this.#clock.after(late ? random.below(90_000) : random.below(20), () => clock.enter(settle));
          this.#clock.after(random.below(20), () => {
            if (lost) return answer(() => reject(new Error("lost")));
            // Its process may be dead by now: the call is on its way all the same.
            void call(...args).then((value) =>
              answer(() => (replyLost ? reject(new Error("reply lost")) : resolve(value))),
            );
          });
        });
    const schedules = this.#schedules;
    return {
      ...schedules,
      register: wired(schedules.register),
      tick: wired(async (tick) => {
        const result = await schedules.tick(tick);
        if (result.kind === "started" && !result.created) this.#foundAgain += 1;
        this.#mostOpen = Math.max(this.#mostOpen, this.#open().length);
        return result;
      }),
    };
  }

  #open() {
    return [...this.#world.runs.values()].filter(({ endedAt }) => endedAt === null);
  }

  /** As if a worker had done them; those that were asked to cancel sooner. */
  #endSome(): void {
    for (const run of this.#open()) {
      if (!this.#random.chance(run.inbox.size > 0 ? 0.5 : 0.3)) continue;
      run.endedAt = this.#clock.now();
      run.status = run.inbox.size > 0 ? "cancelled" : "completed";
    }
  }

  #pass(ms: number): Promise<void> {
    return this.#until(new Promise((resolve) => this.#clock.after(ms, resolve)));
  }

  async #until(promise: Promise<void>): Promise<void> {
    let settled = false;
    void promise.then(() => {
      settled = true;
    });
    while (!settled) {
      for (let n = 0; n < TURNS && !settled; n++) await Promise.resolve();
      if (!settled && !this.#clock.fireNext()) throw new Error("expected something to happen yet, nothing does");
    }
  }
}
