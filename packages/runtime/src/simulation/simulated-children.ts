import type { EndStatus } from "../engine/records.js";
import type { Suspension } from "../engine/step-outcome.js";
import type { EffectLedger, KeyedAct } from "./effect-ledger.js";
import type { SeededRandom } from "./seeded-random.js";

/** The step that a child is started for, in one of its rounds. */
type Purpose = Pick<KeyedAct, "step" | "round">;

interface ChildRun extends Purpose {
  /** It undoes the child before it. */
  readonly undoes: boolean;
  canceled: boolean;
  end: EndStatus | null;
}

/** What the end of a child run tells its parent. */
export interface ToldEnd {
  readonly run: string;
  readonly status: EndStatus;
}

/**
 * The runs that a simulated run's steps start: created once per id, ended by chance, undone by runs of their own. A child has an
 * effect in the ledger when it completes, or fails and leaves something; its undoing takes that back.
 */
export class SimulatedChildren {
  readonly #random: SeededRandom;
  readonly #ledger: EffectLedger;
  readonly #runs = new Map<string, ChildRun>();
  created = 0;

  constructor(random: SeededRandom, ledger: EffectLedger) {
    this.#random = random;
    this.#ledger = ledger;
  }

  /** Its end, unless it goes on. */
  get(id: string): EndStatus | "open" | undefined {
    const run = this.#runs.get(id);
    return run && (run.end ?? "open");
  }

  get open(): readonly string[] {
    return [...this.#runs].filter(([, run]) => run.end === null).map(([id]) => id);
  }

  start(id: string, { step, round }: Purpose, undoes = false): Suspension {
    if (!this.#runs.has(id)) {
      this.created += 1;
      this.#runs.set(id, { step, round, undoes, canceled: false, end: null });
    }
    return { kind: "suspended", child: id, undoes };
  }

  /** As the worker does it (worker/child-runs.ts). */
  undo(id: string, purpose: Purpose): Suspension | "undone" | "given-up" {
    const child = this.#runs.get(id);
    if (child === undefined || child.end === null) {
      const started = this.start(id, purpose);
      this.cancel(id);
      return started;
    }
    if (child.end === "compensated" || child.end === "cancelled") return "undone";
    const undoing = this.#runs.get(`${id}:undo`)?.end ?? null;
    if (undoing === "compensated") return "undone";
    return undoing === "failed" ? "given-up" : this.start(`${id}:undo`, purpose, true);
  }

  cancel(id: string): void {
    const run = this.#runs.get(id);
    if (run !== undefined) run.canceled = true;
  }

  /** One of those that go on ends, and tells its parent. */
  end(): ToldEnd | null {
    if (this.open.length === 0) return null;
    const id = this.#random.pick(this.open);
    const run = this.#runs.get(id);
    if (run === undefined) return null;
    run.end = this.#drawEnd(run);
    const { step, round } = run;
    if (run.undoes && run.end === "compensated") this.#ledger.apply({ step, round, direction: "compensate" });
    if (!run.undoes && (run.end === "completed" || run.end === "failed"))
      this.#ledger.apply({ step, round, direction: "forward" });
    return { run: id, status: run.end };
  }

  #drawEnd({ undoes, canceled }: ChildRun): EndStatus {
    if (undoes) return this.#random.chance(0.9) ? "compensated" : "failed";
    // Past its pivot, or just done, it completes all the same.
    if (canceled && this.#random.chance(0.7)) return "cancelled";
    return this.#random.pick(["completed", "completed", "completed", "compensated", "failed"]);
  }
}
