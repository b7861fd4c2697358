import { deepStrictEqual } from "node:assert/strict";
import { isObject, type Json } from "../../json.js";
import type { Append } from "../../store/run-store.js";
import type { MemoryWorld } from "../../stores/memory/world.js";
import { InvariantBroken } from "../invariant-broken.js";
import type { Breaches } from "./breaches.js";
import type { SentCall } from "./call-watch.js";
import type { JournalWatch } from "./journal-watch.js";

type Values = Readonly<Record<string, Json>>;

/**
 * Steps write growing numbers into the run's context, each under a key of its own: `way:<step>` on the way, and
 * `ret:<step>` with the result. Whoever reads the context later must find every returned value, and no number on the way
 * below one that was acknowledged: by a checkpoint, or by handing the run back in good order.
 */
export class ContextWatch {
  readonly #journal: JournalWatch;
  readonly #world: MemoryWorld;
  readonly #breaches: Breaches;
  readonly #snapshots: boolean;
  #numbers = 0;
  /** What the present owner has in memory, by run. */
  readonly #written = new Map<string, Map<string, number>>();
  readonly #promised = new Map<string, Map<string, number>>();
  /** Of appends that park a run, by append id. */
  readonly #parking = new Map<string, ReadonlyMap<string, number>>();

  constructor(journal: JournalWatch, world: MemoryWorld, breaches: Breaches, snapshots: boolean) {
    this.#journal = journal;
    this.#world = world;
    this.#breaches = breaches;
    this.#snapshots = snapshots;
  }

  nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  /** Writes on the way; gives the number, or null when the run has left its process. */
  write(call: SentCall): number | null {
    const number = this.nextNumber();
    const key = `way:${call.stage}`;
    call.context.patch({ [key]: number });
    if (call.context.get()[key] !== number) return null;
    const written = this.#written.get(`${call.runId} ${call.fence}`) ?? new Map<string, number>();
    this.#written.set(`${call.runId} ${call.fence}`, written.set(key, number));
    return number;
  }

  /** A checkpoint asked for after `number` was written is said to be durable. */
  acknowledged(call: SentCall, number: number): void {
    if (this.#snapshots) this.#promise(call.runId, new Map([[`way:${call.stage}`, number]]));
  }

  onSent({ run, fence, appendId, records, next }: Append): void {
    // Found again by its own process: what was only in the lost memory is lost.
    if (records.some((record) => record.kind === "claimed")) this.#written.delete(`${run} ${fence}`);
    const written = this.#written.get(`${run} ${fence}`);
    // A run that is parked because its state here is not its journal keeps nothing of that state.
    const refused = records.some((record) => record.kind === "stuck" && record.error.code === "store-refused");
    if (next.kind === "park" && written !== undefined && this.#snapshots && !refused)
      this.#parking.set(appendId, new Map(written));
  }

  onParked({ run, appendId }: Append): void {
    const written = this.#parking.get(appendId);
    if (written !== undefined) this.#promise(run, written);
  }

  checkSeen(run: string, context: Values, who: string): void {
    this.#breaches.check(() => this.#check(run, context, who), [11]);
  }

  #promise(run: string, values: ReadonlyMap<string, number>): void {
    const promised = this.#promised.get(run) ?? new Map<string, number>();
    this.#promised.set(run, promised);
    for (const [key, number] of values) promised.set(key, Math.max(number, promised.get(key) ?? 0));
  }

  /** The last value that each step returned: in a new round it may be another. */
  #returned(run: string): ReadonlyMap<string, Json> {
    const returned = new Map<string, Json>();
    for (const record of (this.#journal.runs.get(run)?.rows ?? []).flatMap((row) => row.records)) {
      // An attempt of a new round may have returned something, of which nothing but a hot copy was kept.
      if (record.kind === "dispatched" && record.direction === "forward") returned.delete(`ret:${record.step}`);
      if (record.kind !== "completed") continue;
      const key = `ret:${record.step}`;
      const value = record.context?.set?.[key];
      if (value !== undefined) returned.set(key, value);
    }
    return returned;
  }

  #check(run: string, context: Values, who: string): void {
    for (const [key, value] of this.#returned(run)) {
      try {
        deepStrictEqual(context[key], value);
      } catch {
        throw new InvariantBroken(11, `${who} finds ${key} = ${String(context[key])}, it returned ${String(value)}`);
      }
    }
    const least = new Map(this.#promised.get(run));
    const snapshot = this.#world.runs.get(run)?.checkpoints[0]?.context;
    const snapshotted: Json = snapshot === undefined ? null : (JSON.parse(snapshot) as Json);
    for (const [key, value] of Object.entries(isObject(snapshotted) ? snapshotted : {})) {
      if (key.startsWith("way:")) least.set(key, Math.max(Number(value), least.get(key) ?? 0));
    }
    for (const [key, number] of least) {
      const seen = Number(context[key] ?? 0);
      if (seen < number)
        throw new InvariantBroken(11, `${who} finds ${key} = ${seen} of run ${run}, ${number} was durable`);
    }
  }
}
