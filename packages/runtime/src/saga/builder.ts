import { type Duration, parseDurationMs } from "../duration.js";
import type { Json } from "../json.js";
import type { ScheduleOptions } from "../schedule/schedule-definition.js";
import {
  type AnyMap,
  type AnyStep,
  actionStep,
  childStep,
  mapStep,
  retryPolicy,
  sleepStep,
  waitStep,
} from "./declared-step.js";
import { defineSaga } from "./define.js";
import type { SagaDefinition, SagaStyle, StepDefinition, Wave } from "./definition.js";
import type { QueueOptions } from "./queue.js";
import { declaredQueue } from "./queue-config.js";
import { declaredSchedule } from "./schedule-config.js";
import type {
  ChildOptions,
  ElsewhereStep,
  LocalMap,
  LocalStep,
  RetryOptions,
  ServiceMap,
  ServiceStep,
  SleepOptions,
  Verdict,
  WaitOptions,
} from "./step-options.js";

export type * from "./step-options.js";

/**
 * Declares a saga in TypeScript. Steps run one after the other, those of a `parallel` group together; after `pivot`
 * it only goes forward. The compiler carries the outputs: a step can read those of earlier steps, and neither those
 * of later ones nor of its siblings.
 */
export function saga<Input = Json>(name: string, options: SagaOptions<Input> = {}): SagaBuilder<Input, NoOutputs> {
  return new SagaBuilder<Input, NoOutputs>({ name, options, waves: [], pivotAfterWave: null });
}

type NoOutputs = Record<never, never>;

export interface SagaOptions<Input> {
  /** Shown to operators. Default: none. */
  readonly description?: string;
  /**
   * `choreography`: each step reacts to the event of the one before it and undoes its own work when a later one fails; no run calls them.
   * Only steps that call a service or a function. `orchestration`: the run's owner calls one after the other. Default: as the config says.
   */
  readonly style?: SagaStyle;
  /** Of a whole run; default: the manager's `saga.timeoutMs`. */
  readonly timeout?: Duration;
  /** A run that no instance has begun within this time of its creation ends `failed` and runs nothing. Default: none. */
  readonly startTimeout?: Duration;
  /** Defaults of its steps and their compensations, before those of services and of the manager's `recovery`. */
  readonly retry?: RetryOptions;
  /** What a run can be searched by: at most 20 texts of up to 256 characters, by names. Default: none. */
  readonly attributes?: (input: Input) => Readonly<Record<string, string>>;
  /** Its runs begin by themselves at these times. Default: none does. */
  readonly schedule?: ScheduleOptions;
  /** In which queue its runs begin, how many at once, how often. Default: at once, in any number. */
  readonly queue?: QueueOptions<Input>;
  /** Throws when the input does not fit; starting then fails with `input-invalid`. */
  readonly checkInput?: (input: Json) => asserts input is Input & Json;
}

/** What later steps read: a step that returns nothing has the output null. */
type Stored<Output> = [Output] extends [undefined] ? null : [undefined] extends [Output] ? null : Output;

/** A step under a condition has no output when it was skipped. */
type Under<When, Output> = [When] extends [never] ? Output : Output | null;

type NewName<Name extends string, Outputs> = Name extends keyof Outputs ? never : Name;

interface Draft {
  readonly name: string;
  readonly options: SagaOptions<never>;
  readonly waves: readonly Wave[];
  readonly pivotAfterWave: number | null;
  readonly returns?: (outputs: Readonly<Record<string, Json>>) => unknown;
}

/**
 * Each method adds a step after all that is declared so far. A name that is taken does not compile. Error:
 * `definition-invalid` (a bad duration or expression).
 */
export class SagaBuilder<Input, Outputs> {
  readonly #draft: Draft;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  step<Name extends string>(
    name: NewName<Name, Outputs>,
    step: ServiceStep<Input, Outputs> | ElsewhereStep,
  ): SagaBuilder<Input, Outputs & Record<Name, Json>>;
  step<Name extends string, Output, Given = Input, When extends Verdict = never>(
    name: NewName<Name, Outputs>,
    step: LocalStep<Input, Outputs, Output, Given, When>,
  ): SagaBuilder<Input, Outputs & Record<Name, Under<When, Stored<Output>>>>;
  step(name: string, step: AnyStep | ElsewhereStep): SagaBuilder<Input, Outputs & Record<string, unknown>> {
    return this.#add(actionStep(name, step));
  }

  /** Waits for a time, durably. */
  sleep<Name extends string>(
    name: NewName<Name, Outputs>,
    step: SleepOptions<Input, Outputs>,
  ): SagaBuilder<Input, Outputs & Record<Name, null>> {
    return this.#add(sleepStep(name, step));
  }

  /** Waits for a signal, which is sent by `SagaManager.signal`. */
  waitFor<Name extends string>(
    name: NewName<Name, Outputs>,
    step: WaitOptions<Input, Outputs> = {},
  ): SagaBuilder<Input, Outputs & Record<Name, Json>> {
    return this.#add(waitStep(name, step));
  }

  /** Runs another saga and waits for its end; undone with what it did when this one unwinds. */
  child<Name extends string>(
    name: NewName<Name, Outputs>,
    step: ChildOptions<Input, Outputs>,
  ): SagaBuilder<Input, Outputs & Record<Name, Json>> {
    return this.#add(childStep(name, step));
  }

  /** An action for each item of a list, so many at once. */
  map<Name extends string>(
    name: NewName<Name, Outputs>,
    step: ServiceMap<Input, Outputs>,
  ): SagaBuilder<Input, Outputs & Record<Name, readonly Json[]>>;
  map<Name extends string, Item, Output, Given = Input, When extends Verdict = never>(
    name: NewName<Name, Outputs>,
    step: LocalMap<Input, Outputs, Item, Output, Given, When>,
  ): SagaBuilder<Input, Outputs & Record<Name, Under<When, readonly Stored<Output>[]>>>;
  map(name: string, step: AnyMap): SagaBuilder<Input, Outputs & Record<string, unknown>> {
    return this.#add(mapStep(name, step));
  }

  /** Its steps run together; the saga goes on when all of them have completed. */
  parallel<Group>(
    define: (group: ParallelGroup<Input, Outputs, NoOutputs>) => ParallelGroup<Input, Outputs, Group>,
  ): SagaBuilder<Input, Outputs & Group> {
    const { steps } = define(new ParallelGroup<Input, Outputs, NoOutputs>([]));
    return this.#with({ waves: [...this.#draft.waves, { steps }] });
  }

  /** The point of no return: once everything declared so far has completed, the saga only goes forward. */
  pivot(): SagaBuilder<Input, Outputs> {
    return this.#with({ pivotAfterWave: this.#draft.waves.length - 1 });
  }

  /** What a completed run returns; default: the last step's output. */
  returns(select: (outputs: Readonly<Outputs>) => unknown): SagaBuilder<Input, Outputs> {
    return this.#with({ returns: select as (outputs: Readonly<Record<string, Json>>) => unknown });
  }

  /** Checks names and groups, and gives the definition its version. Error: `definition-invalid`. */
  build(): SagaDefinition {
    const { name, options, waves, pivotAfterWave, returns } = this.#draft;
    return defineSaga({
      name,
      waves,
      pivotAfterWave,
      timeoutMs: options.timeout === undefined ? null : parseDurationMs(options.timeout, `${name}.timeout`),
      ...(options.startTimeout !== undefined && {
        startTimeoutMs: parseDurationMs(options.startTimeout, `${name}.startTimeout`),
      }),
      ...(options.retry !== undefined && { retry: retryPolicy(name, options.retry) }),
      ...(options.attributes !== undefined && {
        attributes: options.attributes as (input: Json) => Readonly<Record<string, string>>,
      }),
      ...(options.description !== undefined && { description: options.description }),
      ...(options.checkInput !== undefined && { checkInput: options.checkInput as (input: Json) => void }),
      ...(options.schedule !== undefined && { schedule: declaredSchedule(name, options.schedule) }),
      ...(returns !== undefined && { returns }),
      ...(options.style !== undefined && { style: options.style }),
      ...(options.queue !== undefined && { queue: declaredQueue(name, options.queue) }),
    });
  }

  #add<More>(step: StepDefinition): SagaBuilder<Input, More> {
    return this.#with({ waves: [...this.#draft.waves, { steps: [step] }] });
  }

  #with<More>(change: Partial<Draft>): SagaBuilder<Input, More> {
    return new SagaBuilder<Input, More>({ ...this.#draft, ...change });
  }
}

/** The steps of a parallel group: each sees the outputs of before the group. Its methods are those of the builder. */
export class ParallelGroup<Input, Outputs, Group> {
  readonly steps: readonly StepDefinition[];

  constructor(steps: readonly StepDefinition[]) {
    this.steps = steps;
  }

  step<Name extends string>(
    name: NewName<Name, Outputs & Group>,
    step: ServiceStep<Input, Outputs> | ElsewhereStep,
  ): ParallelGroup<Input, Outputs, Group & Record<Name, Json>>;
  step<Name extends string, Output, Given = Input, When extends Verdict = never>(
    name: NewName<Name, Outputs & Group>,
    step: LocalStep<Input, Outputs, Output, Given, When>,
  ): ParallelGroup<Input, Outputs, Group & Record<Name, Under<When, Stored<Output>>>>;
  step(name: string, step: AnyStep | ElsewhereStep): ParallelGroup<Input, Outputs, Group & Record<string, unknown>> {
    return this.#add(actionStep(name, step));
  }

  sleep<Name extends string>(
    name: NewName<Name, Outputs & Group>,
    step: SleepOptions<Input, Outputs>,
  ): ParallelGroup<Input, Outputs, Group & Record<Name, null>> {
    return this.#add(sleepStep(name, step));
  }

  waitFor<Name extends string>(
    name: NewName<Name, Outputs & Group>,
    step: WaitOptions<Input, Outputs> = {},
  ): ParallelGroup<Input, Outputs, Group & Record<Name, Json>> {
    return this.#add(waitStep(name, step));
  }

  child<Name extends string>(
    name: NewName<Name, Outputs & Group>,
    step: ChildOptions<Input, Outputs>,
  ): ParallelGroup<Input, Outputs, Group & Record<Name, Json>> {
    return this.#add(childStep(name, step));
  }

  map<Name extends string>(
    name: NewName<Name, Outputs & Group>,
    step: ServiceMap<Input, Outputs>,
  ): ParallelGroup<Input, Outputs, Group & Record<Name, readonly Json[]>>;
  map<Name extends string, Item, Output, Given = Input, When extends Verdict = never>(
    name: NewName<Name, Outputs & Group>,
    step: LocalMap<Input, Outputs, Item, Output, Given, When>,
  ): ParallelGroup<Input, Outputs, Group & Record<Name, Under<When, readonly Stored<Output>[]>>>;
  map(name: string, step: AnyMap): ParallelGroup<Input, Outputs, Group & Record<string, unknown>> {
    return this.#add(mapStep(name, step));
  }

  #add<More>(step: StepDefinition): ParallelGroup<Input, Outputs, More> {
    return new ParallelGroup([...this.steps, step]);
  }
}
