import { unitRunId } from "../choreography/unit-entry.js";
import { isEnded, type JournalRow, type RunStatus } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import type { Clock } from "../ports.js";
import type { ListRuns, RunListPage } from "../saga/manager.js";
import type { Checkpoint, RunRow, RunStore } from "../store/run-store.js";
import type { EndedRun, RunNotifier } from "../worker/run-notifier.js";
import type { PlanRegistry } from "../worker/worker.js";
import { EndWaiters } from "./end-waiters.js";
import { viewOfProgress } from "./progress-view.js";
import { summaryOfRun, viewOfRun, viewOfState } from "./run-view.js";
import type { ProgressView, RunEvent, RunView, StepView } from "./views.js";

export interface RunQueriesOptions {
  readonly store: RunStore;
  readonly registry: PlanRegistry;
  readonly notifier: RunNotifier;
  readonly clock: Clock;
  /** Whether this process drives the run now, and will hint at its end. */
  readonly drives: (run: string) => boolean;
}

/** How often a watcher looks at the store itself: its run may be driven by another instance. */
const LOOK_MS = 500;
const JOURNAL_PAGE = 1_000;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** What people and programs may ask about runs. Reads only; hints from this process make waiting shorter. */
export class RunQueries {
  readonly #store: RunStore;
  readonly #registry: PlanRegistry;
  readonly #notifier: RunNotifier;
  readonly #ends: EndWaiters;

  constructor({ store, registry, notifier, clock, drives }: RunQueriesOptions) {
    this.#store = store;
    this.#registry = registry;
    this.#notifier = notifier;
    this.#ends = new EndWaiters({ clock, drives, read: (run) => this.#look(run) });
    notifier.onEnd((run, ended) => this.#ended(run, ended));
  }

  /** Who waits for the end of a run is told that nobody will tell any more. */
  close(): void {
    this.#ends.close();
  }

  wait(id: string, timeoutMs: number): Promise<RunView> {
    return this.#ends.wait(id, timeoutMs);
  }

  async get(id: string): Promise<RunView> {
    return this.#view(await this.#row(id));
  }

  async list(query: ListRuns): Promise<RunListPage> {
    const page = await this.#store.list({ ...query, limit: Math.min(query.limit ?? DEFAULT_LIMIT, MAX_LIMIT) });
    return { items: page.items.map(summaryOfRun), nextCursor: page.nextCursor };
  }

  async journal(id: string): Promise<readonly JournalRow[]> {
    await this.#row(id);
    return this.#rows(id);
  }

  async checkpoints(id: string): Promise<readonly Checkpoint[]> {
    await this.#row(id);
    return this.#store.checkpoints(id);
  }

  async *watch(id: string, signal: AbortSignal): AsyncIterable<RunEvent> {
    let seq = 0;
    let told: RunStatus | null = null;
    while (!signal.aborted) {
      const change = this.#notifier.wait(id, LOOK_MS);
      signal.addEventListener("abort", change.cancel);
      try {
        // The row before the journal: an ended run's journal is then known to be complete.
        const run = await this.#row(id);
        const rows = await this.#store.journal(id, seq, JOURNAL_PAGE);
        seq = rows.at(-1)?.seq ?? seq;
        // The last row may have been read while its run did not look ended yet: its end is told without rows then.
        if (rows.length > 0 || (isEnded(run.status) && told !== run.status)) {
          told = run.status;
          yield { rows, status: run.status };
        }
        if (isEnded(run.status) && rows.length < JOURNAL_PAGE) return;
        if (rows.length === 0) await change.happened;
      } finally {
        signal.removeEventListener("abort", change.cancel);
        change.cancel();
      }
    }
  }

  /** A run driven here tells of its end, and what the store would answer about it. */
  #ended(run: string, ended: () => EndedRun): void {
    if (!this.#ends.has(run)) return;
    const { run: row, state, context } = ended();
    // How far it came is in the store.
    if (row.type === "batch") return this.#ends.look(run);
    this.#ends.ended(run, viewOfState(row, state, context));
  }

  async #look(id: string): Promise<{ ended: boolean; view: () => Promise<RunView> }> {
    const run = await this.#row(id);
    return { ended: isEnded(run.status), view: () => this.#view(run) };
  }

  async #row(id: string): Promise<RunRow> {
    const run = await this.#store.get(id);
    if (run !== undefined) return run;
    throw new RuntimeError("run-not-found", `expected the id of a run, got ${JSON.stringify(id.slice(0, 100))}`);
  }

  async #view(run: RunRow): Promise<RunView> {
    const [rows, checkpoints] = await Promise.all([this.#rows(run.id), this.#store.checkpoints(run.id)]);
    const plan = this.#registry.find(run.definition, run.version) ?? null;
    const view = { ...viewOfRun(plan, run, rows, checkpoints[0] ?? null), progress: await this.#progress(run) };
    if (plan?.isObserved !== true || isEnded(run.status)) return view;
    return { ...view, steps: await Promise.all(view.steps.map((step) => this.#underWay(run, step))) };
  }

  /** Also of a batch that has ended. */
  async #progress(run: RunRow): Promise<ProgressView | null> {
    const progress = run.type === "batch" ? await this.#store.batches?.get(run.id) : undefined;
    return progress === undefined ? null : viewOfProgress(run, progress);
  }

  /** A stage of a choreographed run tells when it has ended; until then its own run, where it is in this store, says how far it is. */
  async #underWay(run: RunRow, step: StepView): Promise<StepView> {
    if (step.status !== "pending") return step;
    const unit = await this.#store.get(unitRunId(run.id, step.name));
    if (unit === undefined || isEnded(unit.status)) return step;
    return (await this.#view(unit)).steps.find(({ name }) => name === step.name) ?? step;
  }

  async #rows(id: string): Promise<JournalRow[]> {
    const rows: JournalRow[] = [];
    for (;;) {
      const page = await this.#store.journal(id, rows.length, JOURNAL_PAGE);
      rows.push(...page);
      if (page.length < JOURNAL_PAGE) return rows;
    }
  }
}
