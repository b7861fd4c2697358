import { type Duration, parseDurationMs } from "../duration.js";
import type { Json } from "../json.js";
import { defineSaga } from "./define.js";
import type {
  CompensationCall,
  CompensationDefinition,
  RetryPolicy,
  SagaDefinition,
  ServiceCall,
  StepCall,
  StepDefinition,
  Wave,
} from "./definition.js";

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
  /** Of a whole run; default: the manager's `saga.timeoutMs`. */
  readonly timeout?: Duration;
  /** A run that no instance has begun within this time of its creation ends `failed` and runs nothing. Default: none. */
  readonly startTimeout?: Duration;
  /** Defaults of its steps and their compensations, before those of services and of the manager's `recovery`. */
  readonly retry?: RetryOptions;
  /** What a run can be searched by: at most 20 texts of up to 256 characters, by names. Default: none. */
  readonly attributes?: (input: Input) => Readonly<Record<string, string>>;
  /** Throws when the input does not fit; starting then fails with `input-invalid`. */
  readonly checkInput?: (input: Json) => asserts input is Input & Json;
}

/** A step performed here, by a function. */
export interface LocalStep<Input, Outputs, Output> extends StepOptions {
  /** Returns JSON of at most 1 MiB. Throwing `BusinessRefusal` refuses; any other throw is retried. */
  readonly run: (call: TypedCall<Input, Outputs>) => Output | Promise<Output>;
  /** Undoes it; undoing nothing is a success. Its attempts have 30 s and the manager's `recovery`. Default: none. */
  readonly compensate?: (call: TypedCompensation<Input, Outputs, Output>) => unknown;
}

/** A step performed by a service. Its output is JSON. */
export interface ServiceStep extends StepOptions, ServiceCall {
  readonly compensate?: ServiceCompensation;
}

export interface ServiceCompensation extends StepOptions {
  readonly service: string;
  readonly endpoint: string;
}

export interface StepOptions {
  /** Of one attempt; default: the service's, else 30 s. */
  readonly timeout?: Duration;
  /** What is left out comes from the saga, then from the service, then from the manager's `recovery`. */
  readonly retry?: RetryOptions;
}

export interface RetryOptions
  extends Partial<Pick<RetryPolicy, "maxAttempts" | "backoff" | "jitter" | "nonRetryable">> {
  readonly initialDelay?: Duration;
  readonly maxDelay?: Duration;
}

export type TypedCall<Input, Outputs> = Omit<StepCall, "input" | "outputs"> & {
  readonly input: Input;
  readonly outputs: Readonly<Outputs>;
};

export type TypedCompensation<Input, Outputs, Output> = Omit<CompensationCall, "input" | "outputs" | "output"> & {
  readonly input: Input;
  readonly outputs: Readonly<Outputs>;
  /** Null when the outcome is unknown. */
  readonly output: Output | null;
};

/** What later steps read: a step that returns nothing has the output null. */
type Stored<Output> = [Output] extends [undefined] ? null : [undefined] extends [Output] ? null : Output;

type NewName<Name extends string, Outputs> = Name extends keyof Outputs ? never : Name;

interface Draft {
  readonly name: string;
  readonly options: SagaOptions<never>;
  readonly waves: readonly Wave[];
  readonly pivotAfterWave: number | null;
  readonly returns?: (outputs: Readonly<Record<string, Json>>) => unknown;
}

export class SagaBuilder<Input, Outputs> {
  readonly #draft: Draft;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  /** A step after all that is declared so far. A name that is taken does not compile. Error: `definition-invalid` (a bad duration). */
  step<Name extends string>(
    name: NewName<Name, Outputs>,
    step: ServiceStep,
  ): SagaBuilder<Input, Outputs & Record<Name, Json>>;
  step<Name extends string, Output>(
    name: NewName<Name, Outputs>,
    step: LocalStep<Input, Outputs, Output>,
  ): SagaBuilder<Input, Outputs & Record<Name, Stored<Output>>>;
  step(name: string, step: AnyStep): SagaBuilder<Input, Outputs & Record<string, unknown>> {
    return this.#with({ waves: [...this.#draft.waves, { steps: [stepDefinition(name, step)] }] });
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
      ...(returns !== undefined && { returns }),
    });
  }

  #with<More>(change: Partial<Draft>): SagaBuilder<Input, More> {
    return new SagaBuilder<Input, More>({ ...this.#draft, ...change });
  }
}

/** The steps of a parallel group: each sees the outputs of before the group. */
export class ParallelGroup<Input, Outputs, Group> {
  readonly steps: readonly StepDefinition[];

  constructor(steps: readonly StepDefinition[]) {
    this.steps = steps;
  }

  step<Name extends string>(
    name: NewName<Name, Outputs & Group>,
    step: ServiceStep,
  ): ParallelGroup<Input, Outputs, Group & Record<Name, Json>>;
  step<Name extends string, Output>(
    name: NewName<Name, Outputs & Group>,
    step: LocalStep<Input, Outputs, Output>,
  ): ParallelGroup<Input, Outputs, Group & Record<Name, Stored<Output>>>;
  step(name: string, step: AnyStep): ParallelGroup<Input, Outputs, Group & Record<string, unknown>> {
    return new ParallelGroup([...this.steps, stepDefinition(name, step)]);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the overloads above carry the types; here they have served.
type AnyStep = ServiceStep | LocalStep<any, any, any>;

function stepDefinition(name: string, step: AnyStep): StepDefinition {
  return {
    name,
    kind: "action",
    action: "run" in step ? { run: step.run } : serviceCall(step),
    ...actOptions(name, step),
    compensation: compensation(name, step),
  };
}

function compensation(name: string, step: AnyStep): CompensationDefinition | null {
  if (step.compensate === undefined) return null;
  if (typeof step.compensate === "function") return { action: { run: step.compensate }, timeoutMs: null, retry: {} };
  return { action: serviceCall(step.compensate), ...actOptions(`${name}.compensate`, step.compensate) };
}

function serviceCall({ service, endpoint, method, refusals }: ServiceCall): ServiceCall {
  return { service, endpoint, ...(method !== undefined && { method }), ...(refusals !== undefined && { refusals }) };
}

function actOptions(
  key: string,
  { timeout, retry }: StepOptions,
): { timeoutMs: number | null; retry: Partial<RetryPolicy> } {
  return {
    timeoutMs: timeout === undefined ? null : parseDurationMs(timeout, `${key}.timeout`),
    retry: retryPolicy(key, retry ?? {}),
  };
}

function retryPolicy(key: string, { initialDelay, maxDelay, ...rest }: RetryOptions): Partial<RetryPolicy> {
  return {
    ...rest,
    ...(initialDelay !== undefined && { initialDelayMs: parseDurationMs(initialDelay, `${key}.retry.initialDelay`) }),
    ...(maxDelay !== undefined && { maxDelayMs: parseDurationMs(maxDelay, `${key}.retry.maxDelay`) }),
  };
}
