import { isEnded } from "../../engine/records.js";
import { RuntimeError } from "../../errors.js";
import type { StartedRun, StartOptions } from "../../saga/manager.js";
import { mayRestart } from "../../store/run-store.js";
import type { StoredRun } from "../../stores/memory/world.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import { InvariantBroken } from "../invariant-broken.js";
import type { SeededRandom } from "../seeded-random.js";
import type { Breaches } from "./breaches.js";
import type { JournalWatch } from "./journal-watch.js";
import type { SimulatedProcess } from "./simulated-process.js";

export interface ClientsOptions {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly journal: JournalWatch;
  readonly breaches: Breaches;
  /** Every run there is or was, in the order of creation. */
  readonly runs: () => readonly StoredRun[];
  /** A process that can be asked now, by chance. */
  readonly pickProcess: () => SimulatedProcess | null;
}

/** Whoever starts runs: a client keeps asking, here and there, with one key, until a process tells it the run's id. */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #answers = new Map<string, StartedRun[]>();
  readonly #waits: { readonly process: SimulatedProcess; readonly id: string; settled: boolean }[] = [];
  #open = 0;

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  /** Clients that still wait for an answer to their start. */
  get open(): number {
    return this.#open;
  }

  /** Ids that some client knows. */
  get known(): string[] {
    return [...new Set([...this.#answers.values()].flat().map((answer) => answer.id))];
  }

  async start(definition: string, key: string): Promise<void> {
    this.#open += 1;
    const { random } = this.#options;
    // At times two callers have the same key, and do not know of each other.
    const callers = random.chance(0.3) ? 2 : 1;
    await Promise.all(Array.from({ length: callers }, () => this.#ask(definition, key)));
    this.#open -= 1;
  }

  /** Callers who want the key's run to be started anew, should it have failed. */
  async restart(definition: string, key: string): Promise<void> {
    this.#open += 1;
    const callers = 1 + this.#options.random.below(3);
    const asks = Array.from({ length: callers }, () => this.#ask(definition, key, { ifExists: "restart-if-failed" }));
    await Promise.all(asks);
    this.#open -= 1;
  }

  async #ask(definition: string, key: string, options: StartOptions = {}): Promise<void> {
    const { random, clock, pickProcess, breaches } = this.#options;
    for (;;) {
      const process = pickProcess();
      if (process !== null) {
        const asked = await process.ask(
          (manager) => manager.start(definition, {}, { ...options, idempotencyKey: key }),
          8_000,
        );
        if (asked !== null && "value" in asked) return this.#answered(process, key, asked.value);
        const error = asked?.error;
        breaches.expect(
          error === undefined || (error instanceof RuntimeError && error.retry),
          1,
          () => `a start failed with ${String(error)}`,
        );
      }
      await new Promise<void>((resolve) => void clock.after(200 + random.below(2_000), resolve));
    }
  }

  #answered(process: SimulatedProcess, key: string, answer: StartedRun): void {
    const answers = this.#answers.get(key) ?? [];
    this.#answers.set(key, [...answers, answer]);
    if (this.#options.random.chance(0.5)) void this.#wait(process, answer.id);
    if (this.#options.random.chance(0.2)) void this.#watch(process, answer.id);
  }

  /** Those who wait for, or watch, a run by this process. */
  waitingAt(process: SimulatedProcess): number {
    return this.#waits.filter((wait) => wait.process === process && !wait.settled).length;
  }

  async #wait(process: SimulatedProcess, id: string): Promise<void> {
    const wait = { process, id, settled: false };
    this.#waits.push(wait);
    const timeoutMs = this.#options.random.chance(0.3) ? 2_000 : 3_600_000;
    const asked = await process.ask((manager) => manager.wait(id, timeoutMs), null);
    wait.settled = true;
    if (asked === null || "error" in asked || timeoutMs < 3_600_000) return;
    const { status } = asked.value;
    const { breaches, journal } = this.#options;
    breaches.expect(isEnded(status), 6, () => `wait gives run ${id} as ${status}`);
    const end = journal.runs.get(id)?.state.end?.status;
    breaches.expect(
      end === status,
      3,
      () => `wait says that run ${id} ended ${status}, its journal ${end ?? "nothing"}`,
    );
  }

  async #watch(process: SimulatedProcess, id: string): Promise<void> {
    const wait = { process, id, settled: false };
    this.#waits.push(wait);
    const seen: number[] = [];
    const asked = await process.ask(async (manager) => {
      for await (const { rows } of manager.watch(id, new AbortController().signal))
        seen.push(...rows.map((row) => row.seq));
    }, null);
    wait.settled = true;
    this.#options.breaches.check(() => {
      if (seen.some((seq, index) => seq !== index + 1))
        throw new InvariantBroken(1, `a watcher saw rows ${seen.join()}`);
      const rows = this.#options.journal.runs.get(id)?.rows.length;
      if (asked !== null && "value" in asked && seen.length !== rows)
        throw new InvariantBroken(1, `a watcher saw ${seen.length} rows of run ${id}, which has ${rows}`);
    }, [1]);
  }

  /** Every key has one run, made once; every run that a client knows is there; nobody waits any more. */
  checkAtEnd(): void {
    const { breaches, journal } = this.#options;
    for (const [key, answers] of this.#answers) {
      const ids = new Set(answers.map((answer) => answer.id));
      const runs = this.#options.runs().filter((run) => run.key === key);
      breaches.check(() => checkChain(key, runs, ids), [4]);
      const fresh = answers.filter((answer) => !answer.replayed).length;
      breaches.expect(fresh <= runs.length, 4, () => `key ${key} started ${fresh} runs, there are ${runs.length}`);
      for (const id of ids) breaches.expect(journal.runs.has(id), 1, () => `run ${id} was promised and is not there`);
    }
    for (const { process, id, settled } of this.#waits) {
      const ended = process.state === "open" && journal.runs.get(id)?.state.end !== null;
      breaches.expect(settled || !ended, 6, () => `${process.name} lets somebody wait forever for run ${id}`);
    }
  }
}

/** A key has one run, and after it one for each restart of what had failed by then. */
function checkChain(key: string, runs: readonly StoredRun[], answered: ReadonlySet<string>): void {
  for (const [index, run] of runs.entries()) {
    const before = runs[index - 1];
    if (run.restartedFrom !== (before?.id ?? null))
      throw new InvariantBroken(4, `key ${key} started run ${run.id} beside run ${before?.id}`);
    if (before === undefined) continue;
    if (!mayRestart(before.status) || before.endedAt === null || before.endedAt > run.createdAt)
      throw new InvariantBroken(4, `run ${before.id}, ${before.status}, was restarted though it had not failed`);
  }
  const strange = [...answered].filter((id) => !runs.some((run) => run.id === id));
  if (strange.length > 0) throw new InvariantBroken(4, `key ${key} gave runs ${strange.join(", ")} of another key`);
}
