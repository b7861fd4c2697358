import type { JournalRecord } from "../../engine/records.js";
import type { RunStore } from "../../store/run-store.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import { InvariantBroken } from "../invariant-broken.js";
import { SIGNALS } from "../random-signals.js";
import type { SeededRandom } from "../seeded-random.js";
import type { Breaches } from "./breaches.js";
import type { JournalWatch } from "./journal-watch.js";
import type { SimulatedProcess } from "./simulated-process.js";

export interface SignalersOptions {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly journal: JournalWatch;
  readonly breaches: Breaches;
  /** A process that can be asked now, by chance. */
  readonly pickProcess: () => SimulatedProcess | null;
  /** Runs that may be signaled. */
  readonly runs: () => readonly string[];
}

/** Whoever signals runs: at any time, wanted or not, at times twice. Each signal carries a number of its own. */
export class Signalers {
  readonly #options: SignalersOptions;
  /** Numbers of the signals that the store took in, with their run. */
  readonly #accepted = new Map<number, string>();
  #sent = 0;
  #stopped = false;

  constructor(options: SignalersOptions) {
    this.#options = options;
  }

  /** One signal after the other, until `stop`. */
  start(): void {
    const { clock, random } = this.#options;
    clock.after(100 + random.below(3_000), () => {
      if (this.#stopped) return;
      void this.#send();
      this.start();
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Sees what the store takes in. */
  watch(store: RunStore): RunStore {
    return {
      ...store,
      signal: async (signals) => {
        const results = await store.signal(signals);
        for (const [index, { run, kind, payload }] of signals.entries())
          if (kind === "signal" && results[index] === "accepted") this.#accepted.set(Number(payload), run);
        return results;
      },
    };
  }

  async #send(): Promise<void> {
    const { random, pickProcess, runs } = this.#options;
    const known = runs();
    if (known.length === 0) return;
    this.#sent += 1;
    const [run, name, number] = [random.pick(known), random.pick(SIGNALS), this.#sent];
    const times = random.chance(0.3) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      const process = pickProcess();
      const request = { actor: "client", idempotencyKey: String(number) };
      await process?.ask((manager) => manager.signal(run, name, number, request), 5_000);
    }
  }

  /** What was taken in is in the journal once, unless the run ended first; and one step at most has it. */
  checkAtEnd(): void {
    const { journal, breaches } = this.#options;
    for (const [number, run] of this.#accepted) {
      const watched = journal.runs.get(run);
      if (watched === undefined) continue;
      const records = watched.rows.flatMap((row) => row.records);
      const came = records.filter((record) => isSignal(record, number));
      breaches.check(() => {
        if (came.length === 0 && watched.state.end === null)
          throw new InvariantBroken(1, `signal ${number} of run ${run} was taken in and is lost`);
        if (came.length > 1) throw new InvariantBroken(4, `signal ${number} of run ${run} came ${came.length} times`);
      });
    }
  }
}

/** A refusal in the journal does not repeat the payload; the signal's id ends with the key, which is the number. */
function isSignal(record: JournalRecord, number: number): boolean {
  if (record.kind !== "signaled" && record.kind !== "signal-refused") return false;
  return record.kind === "signaled" ? record.payload === number : record.id.endsWith(`:${number}`);
}
