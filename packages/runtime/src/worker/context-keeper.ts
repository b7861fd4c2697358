import type { CheckpointConfig } from "../config.js";
import { deltaOf } from "../engine/context.js";
import type { ContextDelta } from "../engine/records.js";
import { isObject, type Json, type JsonObject, mergePatch, toJson } from "../json.js";
import type { Logger } from "../log.js";
import type { CancelTimer, Clock } from "../ports.js";
import { sleep } from "../ports.js";
import type { ContextHandle } from "../saga/definition.js";
import type { ContextSessions } from "../store/context-sessions.js";
import { ContextWeight } from "./context-weight.js";
import type { RestoredContext } from "./restored-context.js";

export interface ContextKeeperOptions {
  readonly run: string;
  readonly restored: RestoredContext;
  readonly config: CheckpointConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Null: contexts are kept in the journal and its snapshots alone. */
  readonly sessions: ContextSessions | null;
  /** This instance, as the owner of the hot copy. */
  readonly owner: () => string;
  /** Where the journal stands, for the hot copy's stamp. */
  readonly stamp: () => { readonly seq: number; readonly fence: number };
  /** Asks for a snapshot in the next append, by a step or by itself; resolves when it is durable. */
  readonly snapshot: (strategy: string, step?: string) => Promise<void>;
}

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;

/**
 * One run's context while this process owns the run. It lives here; what a step changed goes into the journal with
 * its result; snapshots go out by strategy; and a hot copy, stamped with the journal's place, is kept as a session, from
 * the first change on. Only the journal and the snapshots are needed to get it back.
 */
export class ContextKeeper {
  readonly #options: ContextKeeperOptions;
  /** Top-level keys that a step wrote since its last result. */
  #touched: Map<string, Set<string>> | null = null;
  #live: JsonObject;
  readonly #weight: ContextWeight;
  /** True when the last snapshot does not hold everything. */
  #dirty: boolean;
  /** Some of it was written on the way by a step of a former owner, and no snapshot holds that. */
  #isInherited: boolean;
  #stepsSinceSnapshot = 0;
  #cancelTimer: CancelTimer | null = null;
  #saving: Promise<void> | null = null;
  #saveAgain = false;
  /** There is a hot copy, or may be. */
  #isHot: boolean;
  /** Of the hot copy, as this process last saw it; null: it has seen none. */
  #revision: number | null;
  #closed = false;
  /** Made for the pause between two tries of a save; most runs never need one. */
  #closing: AbortController | null = null;

  constructor(options: ContextKeeperOptions) {
    this.#options = options;
    this.#live = options.restored.context;
    this.#weight = new ContextWeight(options.run);
    this.#dirty = options.restored.isDirty;
    this.#isInherited = options.restored.isDirty;
    if (this.#dirty) this.#startTimer();
    this.#isHot = options.restored.isHot;
    this.#revision = options.restored.revision;
  }

  get live(): JsonObject {
    return this.#live;
  }

  /** Until a step uses the context there is none, and no call of the session store. */
  get hasHotCopy(): boolean {
    return this.#revision !== null;
  }

  handle(step: string): ContextHandle {
    return {
      get: () => this.#live,
      patch: (patch) => {
        if (this.#patch(step, toJson(patch, `the context patch of step "${step}"`), true)) this.#save();
      },
      checkpoint: async () => {
        if (!this.#options.config.enabled) return;
        this.#weight.check(this.#live);
        await this.#options.snapshot("manual", step);
      },
    };
  }

  /** A step completed: takes in the `context` object of its output, gives the delta for the journal. */
  complete(step: string, output: Json): ContextDelta | undefined {
    const returned = isObject(output) ? output.context : undefined;
    // Saved when the row that tells of it is written: until then it is not what the journal says.
    if (isObject(returned) && this.#patch(step, returned)) this.#isHot = true;
    this.#stepsSinceSnapshot += 1;
    const touched = this.#touched?.get(step);
    if (touched === undefined) return undefined;
    this.#touched?.delete(step);
    return deltaOf(this.#live, touched);
  }

  /** What wants a snapshot in the append about to be made, if anything: the strategy, or that the run leaves this process. */
  due(next: "keep" | "park" | "finish"): string | null {
    const { enabled, strategy, interval } = this.#options.config;
    if (!enabled || !this.#dirty || this.#isTooLarge()) return null;
    if (next === "finish") return "end";
    // Only a crash may cost what was written on the way.
    if (next === "park" && (this.#isInherited || (this.#touched?.size ?? 0) > 0)) return "park";
    if (strategy === "step" && this.#stepsSinceSnapshot > 0) return strategy;
    if (strategy === "count" && this.#stepsSinceSnapshot >= interval) return strategy;
    return null;
  }

  /** An operator had it be this again; the row that says so is about to be written. */
  restore(context: JsonObject): void {
    this.#live = context;
    this.#touched = null;
    this.#isHot = true;
    this.#weight.measure(context);
    this.taken();
  }

  /** The snapshot just taken will be durable with its append; a failed append ends this keeper with its run. */
  taken(): void {
    this.#dirty = false;
    this.#isInherited = false;
    this.#stepsSinceSnapshot = 0;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** After an append: the hot copy's stamp must follow the journal. */
  moved(): void {
    if (this.#isHot) this.#save();
  }

  /** The run left this process; `ended`: its hot copy has served. */
  async close(ended: boolean): Promise<void> {
    this.#closed = true;
    this.#closing?.abort("the run left");
    this.#cancelTimer?.();
    if (this.#saving !== null) await this.#saving;
    if (ended && this.#isHot) await this.#attempt(async (sessions) => sessions.drop(this.#options.run));
  }

  /** What a step returned is in the journal, so that it can be done without: the run goes on with the last snapshot there is. */
  #isTooLarge(): boolean {
    const refusal = this.#weight.refusal(this.#live);
    if (refusal === null) return false;
    this.#options.logger.error(
      { run: this.#options.run, error: refusal.message },
      "no snapshot of the context is written",
    );
    return true;
  }

  /** Error: `payload-too-large`, of what a step writes on the way: nothing of it is taken then. */
  #patch(step: string, patch: Json, isOnTheWay = false): boolean {
    if (!isObject(patch) || this.#closed) return false;
    const patched = mergePatch(this.#live, patch) as JsonObject;
    this.#weight.add(patch, patched, isOnTheWay);
    this.#touched ??= new Map();
    const touched = this.#touched.get(step) ?? new Set();
    for (const key of Object.keys(patch)) touched.add(key);
    this.#touched.set(step, touched);
    this.#live = patched;
    this.#dirty = true;
    this.#startTimer();
    return true;
  }

  #startTimer(): void {
    const { enabled, strategy, interval } = this.#options.config;
    if (!enabled || strategy !== "time" || this.#cancelTimer !== null) return;
    this.#cancelTimer = this.#options.clock.after(interval, () => {
      this.#cancelTimer = null;
      if (this.#dirty && !this.#closed && !this.#isTooLarge()) void this.#options.snapshot("time");
    });
  }

  /** One save in flight; what changes meanwhile goes with the next one. */
  #save(): void {
    if (this.#options.sessions === null || this.#closed) return;
    this.#isHot = true;
    if (this.#saving !== null) {
      this.#saveAgain = true;
      return;
    }
    this.#saving = this.#attempt(async (sessions) => {
      const { run: runId, owner, stamp } = this.#options;
      const saved = await sessions.save({
        ...{ runId, context: this.#live, stamp: stamp(), owner: owner(), revision: this.#revision },
      });
      if (saved !== "newer") this.#revision = saved.revision;
    }).finally(() => {
      this.#saving = null;
      if (!this.#saveAgain) return;
      this.#saveAgain = false;
      this.#save();
    });
  }

  async #attempt(call: (sessions: ContextSessions) => Promise<unknown>): Promise<void> {
    const { sessions, config, clock, logger, run } = this.#options;
    if (sessions === null) return;
    for (let failures = 0; ; failures++) {
      try {
        await call(sessions);
        return;
      } catch (error) {
        if (failures >= config.maxRetries || this.#closed) {
          logger.warn(
            { run, error: String(error) },
            "the hot copy of the run's context could not be written; journal and snapshots hold it",
          );
          return;
        }
        this.#closing ??= new AbortController();
        await sleep(clock, Math.min(FIRST_RETRY_MS * 2 ** failures, MAX_RETRY_MS), this.#closing.signal);
      }
    }
  }
}
