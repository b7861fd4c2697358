import type { SessionConfig } from "../../config.js";
import type { Json } from "../../json.js";
import type { Participant } from "../../participants/participant.js";
import type { SagaManager } from "../../saga/manager.js";
import type { Definition } from "../../saga/registry.js";
import { createSagaManager } from "../../saga/saga-manager.js";
import { SeededRandom } from "../../simulation/seeded-random.js";
import { ProcessClock } from "../../simulation/world/process-clock.js";
import type { RunStore } from "../../store/run-store.js";
import { interceptStore } from "./intercept-store.js";
import { Performer, type PerformerOptions } from "./performer.js";
import { watchDefinition } from "./watch-definition.js";

export interface TestProcessOptions extends PerformerOptions {
  readonly name: string;
  /** The store as this process reaches it. */
  readonly store: RunStore;
  readonly definitions: readonly Definition[];
  readonly participants: Readonly<Record<string, Participant>>;
  readonly config: SessionConfig;
  readonly seed: number;
  /** In the place of what the sources of batches give; null: they are read. */
  readonly items: readonly Json[] | null;
  /** Told of each write before it is sent and after it has been answered; a process that dies then hears no more. */
  readonly onWrite: (when: "before" | "after") => void;
}

const WRITES: ReadonlySet<string> = new Set([
  ...["append", "begin.commit", "batches.plant", "batches.advance", "batches.begin.commit"],
]);

/** A process: a manager with a clock and a way to the store of its own, which can die without a word. */
export class TestProcess {
  readonly name: string;
  readonly manager: SagaManager;
  readonly #clock: ProcessClock;
  readonly #performer: Performer;
  readonly #time: PerformerOptions["time"];
  readonly #onDeath: (() => void)[] = [];

  constructor(options: TestProcessOptions) {
    const { name, time, config, participants } = options;
    this.name = name;
    this.#time = time;
    this.#clock = new ProcessClock(time.clock, 0, 0);
    this.#performer = new Performer(options);
    this.manager = createSagaManager({
      store: this.#reach(options.store, options.onWrite),
      definitions: options.definitions.map((definition) => watchDefinition(definition, this.#performer, options.items)),
      participants: Object.fromEntries(
        Object.entries(participants).map(([service, each]) => [service, this.#performer.participant(each)]),
      ),
      config,
      ports: { clock: time.watched(this.#clock, this.#performer), random: new SeededRandom(options.seed) },
      label: name,
    });
  }

  get isDead(): boolean {
    return this.#clock.isDead;
  }

  /** Its timers never fire, and it hears of nothing it has asked for. What its handlers do outside goes on. */
  crash(): void {
    if (this.isDead) return;
    this.#clock.crash();
    this.letGo();
    for (const told of this.#onDeath.splice(0)) told();
  }

  /** Time waits for its attempts and its timers no longer. */
  letGo(): void {
    this.#time.release(this.#performer);
  }

  /** Called once, when it dies. */
  onDeath(told: () => void): void {
    this.#onDeath.push(told);
  }

  #reach(store: RunStore, onWrite: TestProcessOptions["onWrite"]): RunStore {
    const unlessDead = async <Value>(value: Promise<Value>): Promise<Value> => {
      try {
        return await value;
      } finally {
        if (this.isDead) await new Promise(() => {});
      }
    };
    return interceptStore(store, async (call, perform) => {
      const writes = WRITES.has(call.method) || (call.method === "create" && claims(call.args[0]));
      if (writes && !this.isDead) onWrite("before");
      if (this.isDead) {
        await call.abandon();
        return new Promise(() => {});
      }
      const answered = await unlessDead(perform());
      if (writes) onWrite("after");
      return unlessDead(Promise.resolve(answered));
    });
  }
}

/** A run that is created and claimed at once has its first row then. */
function claims(runs: unknown): boolean {
  return Array.isArray(runs) && runs.some((run: { readonly claim?: unknown }) => run.claim !== null);
}
