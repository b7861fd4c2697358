import { stepOf } from "../../../engine/state.js";
import { RuntimeError } from "../../../errors.js";
import type { SagaDefinition } from "../../../saga/definition.js";
import { ProcessDied, TestWorld, type TestWorldOptions } from "../test-world.js";
import { AutoSignals } from "./auto-signals.js";
import { SagaCheckFailed } from "./saga-check-failed.js";
import { forThisRun, type SagaOutcome, type SagaTestOptions, type TestedSaga } from "./saga-check-options.js";

/** How one run is made different from one in which all goes well. */
export interface Play {
  /** Name of the check. */
  readonly check: string;
  /** What is to go wrong. */
  readonly plant?: (world: TestWorld) => void;
  /** The signal that this step waits for does not come, as long as this says so. Default: all come. */
  readonly isMuted?: (step: string) => boolean;
  /** What somebody does while it goes on. */
  readonly during?: (run: TestedRun) => Promise<void>;
  readonly onWrite?: TestWorldOptions["onWrite"];
  readonly world?: Pick<TestWorldOptions, "store" | "faultOf" | "seed">;
  /** Judges the end, after the invariants and before the user does. */
  readonly judge: (outcome: SagaOutcome, run: TestedRun) => void;
}

/** One run of a tested saga in a world of its own, with its signals sent by themselves. */
export class TestedRun {
  readonly world: TestWorld;
  readonly definition: SagaDefinition;
  readonly #play: Play;
  readonly #options: SagaTestOptions;
  readonly #signals: AutoSignals;
  #id = "";

  private constructor(tested: TestedSaga, options: SagaTestOptions, play: Play) {
    this.definition = withoutChoreography(forThisRun(tested));
    this.#play = play;
    this.#options = options;
    const { definitions = [], participants, answers, config, patienceMs, items } = options;
    this.world = new TestWorld({
      definitions: [...definitions, this.definition],
      ...(participants !== undefined && { participants: forThisRun(participants) }),
      ...(answers !== undefined && { answers }),
      ...(config !== undefined && { config }),
      ...(items !== undefined && { items }),
      ...(patienceMs !== undefined && { patienceMs }),
      ...(play.onWrite !== undefined && { onWrite: play.onWrite }),
      ...play.world,
    });
    this.#signals = new AutoSignals(this.world, options.signals ?? {}, play.isMuted ?? (() => false));
  }

  /** From its start to the user's judgement. Error: `SagaCheckFailed`. */
  static async perform(tested: TestedSaga, options: SagaTestOptions, play: Play): Promise<SagaOutcome> {
    await options.beforeEach?.();
    const run = new TestedRun(tested, options, play);
    try {
      return await run.#perform();
    } finally {
      await run.world.close();
    }
  }

  get id(): string {
    return this.#id;
  }

  get journal(): SagaOutcome["journal"] {
    return this.world.journal.runs.get(this.#id)?.rows ?? [];
  }

  get isSettled(): boolean {
    return this.world.isSettled;
  }

  /** Lets time pass until the condition holds, or every run has ended or waits for an operator. */
  async until(done: () => boolean, what: string): Promise<void> {
    await this.world.pass(
      () => {
        this.#signals.send();
        return this.isSettled || done();
      },
      () => what,
    );
  }

  /** A check that did not hold. */
  failed(message: string, cause?: unknown): SagaCheckFailed {
    const at = {
      saga: this.definition.name,
      check: this.#play.check,
      journal: this.journal,
      calls: this.world.log.calls,
    };
    return new SagaCheckFailed(message, at, { cause });
  }

  async #perform(): Promise<SagaOutcome> {
    const { world } = this;
    const { plant, during, judge, check } = this.#play;
    try {
      plant?.(world);
      await world.open();
      this.#id = await this.#start();
      await during?.(this);
      await this.until(() => false, "the run to end");
      this.#takeWord();
      world.journal.family.checkAtEnd((run) => world.log.ledgerOf(run), new Map());
      world.breaches.raise();
      const run = await world.ask((manager) => manager.get(this.#id));
      const outcome: SagaOutcome = {
        ...{ check, run, status: run.status },
        calls: world.log.calls,
        journal: this.journal,
      };
      this.#checkKeys();
      judge(outcome, this);
      await this.#options.afterEach?.(outcome);
      return outcome;
    } catch (error) {
      if (error instanceof SagaCheckFailed) throw error;
      throw this.failed(error instanceof Error ? error.message : String(error), error);
    }
  }

  /** A process that dies of it has its successor asked again, under the same key. */
  async #start(): Promise<string> {
    const { name } = this.definition;
    for (;;) {
      try {
        const options = { idempotencyKey: "tested" };
        return (await this.world.ask((manager) => manager.start(name, this.#options.input ?? {}, options))).id;
      } catch (error) {
        const again = error instanceof ProcessDied || (error instanceof RuntimeError && error.retry);
        if (!again) throw error;
        await this.world.open();
      }
    }
  }

  /** Of steps whose calls are not seen one by one, such as functions, the journal alone knows what they did. */
  #takeWord(): void {
    const { journal, log } = this.world;
    for (const { id, plan, state } of journal.runs.values()) {
      for (const { name, definition } of plan.steps.values()) {
        const { forward, round } = stepOf(state, name);
        if (SEEN.has(definition.kind) || forward.status !== "done") continue;
        log.ledgerOf(id).apply({ step: name, direction: "forward", round });
      }
    }
  }

  /** Invariant 4: an act has one key for all its attempts, and shares it with no other. */
  #checkKeys(): void {
    const acts = new Map<string, string>();
    const keys = new Map<string, string>();
    for (const { run, stage, direction, round, key } of this.world.log.calls) {
      const act = `round ${round} of ${direction} ${stage} of run ${run}`;
      const [known = act, first = key] = [acts.get(key), keys.get(act)];
      if (known !== act) throw this.failed(`expected a key for each act, got ${key} for ${act} and ${known}`);
      if (first !== key) throw this.failed(`expected one key for ${act}, got ${first} and ${key}`);
      acts.set(key, act);
      keys.set(act, key);
    }
  }
}

/** Kinds of steps whose calls are seen, or that have none. */
const SEEN: ReadonlySet<string> = new Set(["action", "map", "child", "sleep", "wait"]);

/** Its stages do the same, whoever calls them; and here somebody does. */
function withoutChoreography(definition: SagaDefinition): SagaDefinition {
  return { ...definition, style: "orchestration" };
}
