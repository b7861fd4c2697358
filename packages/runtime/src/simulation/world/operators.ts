import type { JournalRecord } from "../../engine/records.js";
import type { RunVerb } from "../../saga/manager.js";
import type { RunStore } from "../../store/run-store.js";
import { InvariantBroken } from "../invariant-broken.js";
import type { SeededRandom } from "../seeded-random.js";
import type { Breaches } from "./breaches.js";
import type { JournalWatch } from "./journal-watch.js";
import type { SimulatedProcess } from "./simulated-process.js";

/** Operators: each request has an actor of its own, so that the journal shows what became of it. */
export class Operators {
  readonly #random: SeededRandom;
  readonly #journal: JournalWatch;
  readonly #breaches: Breaches;
  /** Requests that the store took in, by actor. */
  readonly #accepted = new Map<string, { readonly run: string; readonly verb: string }>();
  #requests = 0;

  constructor(random: SeededRandom, journal: JournalWatch, breaches: Breaches) {
    this.#random = random;
    this.#journal = journal;
    this.#breaches = breaches;
  }

  get requests(): number {
    return this.#requests;
  }

  /** Sees what the store takes in. */
  watch(store: RunStore): RunStore {
    return {
      ...store,
      signal: async (signals) => {
        const results = await store.signal(signals);
        for (const [index, { run, kind, name, actor }] of signals.entries())
          if (kind === "verb" && results[index] === "accepted") this.#accepted.set(actor, { run, verb: name });
        return results;
      },
    };
  }

  /** Asks for something, by chance; whether it is allowed is the run's business. */
  async act(process: SimulatedProcess, run: string, verbs: readonly RunVerb[]): Promise<void> {
    this.#requests += 1;
    const actor = `operator-${this.#requests}`;
    const verb = this.#random.pick(verbs);
    const steps = [...(this.#journal.runs.get(run)?.plan.steps.keys() ?? [])];
    const step = verb === "retry" && steps.length > 0 && this.#random.chance(0.5) ? this.#random.pick(steps) : null;
    const request = { reason: "simulated", actor, idempotencyKey: actor, ...(step !== null && { step }) };
    await process.ask((manager) => manager.act(run, verb, request), 5_000);
    // The same key again is the same request.
    if (this.#random.chance(0.3)) await process.ask((manager) => manager.act(run, verb, request), 5_000);
  }

  /** Each request was carried out, or refused, at most once; and all of them unless the run ended first. */
  checkAtEnd(): void {
    for (const [actor, { run, verb }] of this.#accepted) {
      const watched = this.#journal.runs.get(run);
      if (watched === undefined) continue;
      const rows = watched.rows.filter((row) => row.records.some((record) => actorOf(record) === actor));
      this.#breaches.check(() => {
        if (rows.length === 0 && watched.state.end === null)
          throw new InvariantBroken(1, `the run ${run} never answered "${verb}" of ${actor}`);
        const records = rows.flatMap((row) => row.records.filter((record) => actorOf(record) === actor));
        // A skip has one record for each compensation.
        const kinds = new Set(records.map((record) => ("step" in record ? record.step : "")));
        if (rows.length > 1 || records.length > kinds.size)
          throw new InvariantBroken(4, `"${verb}" of ${actor} was carried out twice`);
      }, [1, 4]);
    }
  }
}

function actorOf(record: JournalRecord): string | null {
  return "actor" in record ? (record.actor ?? null) : null;
}
