import { type Choreographed, choreograph } from "../choreography/choreographed.js";
import type { EventParticipant } from "../choreography/event-participant.js";
import type { SessionConfig } from "../config.js";
import { planOf, type RunPlan } from "../engine/plan.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { DefinitionStepView, DefinitionView } from "../operator/views.js";
import type { Participant } from "../participants/participant.js";
import type { NewRun } from "../worker/child-runs.js";
import type { PlanRegistry } from "../worker/worker.js";
import { attributesOf } from "./attributes.js";
import { checkedInput, hashOfInput } from "./checked-input.js";
import { checkChildren } from "./child-graph.js";
import { defineSaga, describeAction } from "./define.js";
import type { SagaDefinition, SagaStyle, ServiceCall, StepDefinition } from "./definition.js";

export type Definition = SagaDefinition;

const DEFAULT_STEP_TIMEOUT_MS = 30_000;

/**
 * The definitions of this process. Of one name there may be several versions: the last one given starts new runs, the
 * others finish theirs. Refuses definitions whose services nobody performs.
 */
export class Registry implements PlanRegistry {
  readonly #plans = new Map<string, RunPlan>();
  readonly #choreographed = new Map<string, Choreographed>();
  readonly #latest = new Map<string, Definition>();
  /** By saga and stage. */
  readonly #eventParticipants = new Map<string, EventParticipant>();

  constructor(
    definitions: readonly Definition[],
    participants: Readonly<Record<string, Participant>>,
    config: SessionConfig,
    eventParticipants: readonly EventParticipant[] = [],
  ) {
    const { recovery, saga } = config;
    const addPlan = (definition: SagaDefinition): void => {
      const plan = planOf(definition, {
        strategy: recovery.enabled ? recovery.strategy : "none",
        retry: recovery,
        maxCrashes: recovery.maxCrashes,
        runTimeoutMs: saga.timeoutMs,
        stepTimeoutMs: DEFAULT_STEP_TIMEOUT_MS,
        service: (name) => participants[name] ?? {},
      });
      this.#plans.set(key(definition.name, definition.version), plan);
    };
    for (const given of definitions) {
      const definition = withStyle(given, saga.orchestration);
      this.#latest.set(definition.name, definition);
      checkServices(definition, participants);
      addPlan(definition);
      checkElsewhere(definition);
      if (definition.style !== "choreography") continue;
      checkStrategy(definition, config);
      const choreographed = choreograph(definition);
      this.#choreographed.set(key(definition.name, definition.version), choreographed);
      for (const saga of choreographed.sagas.values()) addPlan(saga);
    }
    for (const participant of eventParticipants) {
      const { saga, stage, sagas } = participant;
      checkStrategy(saga, config);
      for (const unit of sagas.values()) addPlan(unit);
      this.#eventParticipants.set(`${saga.name}.${stage}`, participant);
    }
    checkChildren(definitions, this.#latest);
  }

  find(definition: string, version: string): RunPlan | undefined {
    return this.#plans.get(key(definition, version));
  }

  get isChoreographing(): boolean {
    return this.#choreographed.size > 0 || this.#eventParticipants.size > 0;
  }

  /** Of the events of those sagas and stages that are known here. */
  get choreographySubjects(): readonly string[] {
    const own = [...this.#choreographed.values()].map(({ saga }) => `${saga.name}.>`);
    return [...new Set([...own, ...[...this.#eventParticipants.values()].flatMap(({ subjects }) => subjects)])];
  }

  choreographed(saga: string, version: string): readonly Choreographed[] {
    const own = this.#choreographed.get(key(saga, version));
    const stages = [...this.#eventParticipants.values()].filter((participant) => participant.saga.name === saga);
    return own === undefined ? stages : [own, ...stages];
  }

  get plans(): readonly RunPlan[] {
    return [...this.#plans.values()];
  }

  list(): readonly { readonly name: string; readonly version: string }[] {
    return [...this.#plans.values()].map(({ definition }) => ({ name: definition.name, version: definition.version }));
  }

  /** As a step that runs another saga needs it. Errors: as `latest`; `input-invalid`, `payload-too-large`. */
  readonly newRun = (saga: string, value: Json): ReturnType<NewRun> => {
    const definition = this.latest(saga);
    const input = checkedInput(definition, value);
    const attributes = attributesOf(definition, input);
    return { definition: saga, version: definition.version, input, inputHash: hashOfInput(input), attributes };
  };

  /** The definition that new runs of that name follow. Error: `definition-unknown`. */
  latest(name: string): SagaDefinition {
    const definition = this.#latest.get(name);
    if (definition === undefined) {
      const known = [...this.#latest.keys()].join(", ") || "none";
      throw new RuntimeError(
        "definition-unknown",
        `expected the name of a saga or task, got ${JSON.stringify(name)}; known are: ${known}`,
        { name },
      );
    }
    return definition;
  }

  views(): readonly DefinitionView[] {
    return [...this.#latest.values()].map(viewOf);
  }
}

function checkElsewhere({ name, style, waves }: SagaDefinition): void {
  const step = waves.flatMap(({ steps }) => steps).find((each) => each.kind === "action" && each.isElsewhere === true);
  if (step === undefined || style === "choreography") return;
  const message = `expected saga "${name}" to be choreographed, because its step "${step.name}" is performed elsewhere, got orchestration; give it the style "choreography", or call the service`;
  throw new RuntimeError("definition-invalid", message, { saga: name, step: step.name });
}

/** Stages that undo themselves by each other's events cannot stop halfway: nobody is there who would. */
function checkStrategy({ name }: SagaDefinition, { recovery }: SessionConfig): void {
  if (recovery.enabled && recovery.strategy !== "retry") return;
  const got = recovery.enabled ? '"retry"' : "recovery switched off";
  const key = recovery.enabled ? "session.recovery.strategy" : "session.recovery.enabled";
  const message = `expected session.recovery.strategy "compensate" or "manual" for the choreographed saga "${name}", got ${got}; set it, or use orchestration`;
  throw new RuntimeError("config-invalid", message, { key, saga: name });
}

/** A run is pinned to how it goes, too: one that was begun in the other style is left to those who still know that one. */
function withStyle(definition: Definition, style: SagaStyle): Definition {
  if (definition.style !== undefined || style === "orchestration") return definition;
  return defineSaga({ ...definition, style });
}

function key(name: string, version: string): string {
  return `${name}@${version}`;
}

function checkServices(definition: SagaDefinition, participants: Readonly<Record<string, Participant>>): void {
  for (const step of definition.waves.flatMap((wave) => wave.steps)) {
    for (const action of actionsOf(step)) {
      if ( "run" in action || Object.hasOwn(participants, action.service)) continue;
      const known = Object.keys(participants).join(", ") || "none";
      const message = `expected a participant for service ${JSON.stringify(action.service)} of step "${definition.name}.${step.name}", got only: ${known}`;
      throw new RuntimeError("definition-invalid", message, {
        saga: definition.name,
        step: step.name,
        service: action.service,
      });
    }
  }
}

/** What it performs, and what undoes that. */
function actionsOf(step: StepDefinition): readonly (ServiceCall | { readonly run: unknown })[] {
  if (step.kind === "batch" && step.work.kind === "stages")
    return step.work.stages.flatMap(({ call, compensation }) => [call, ...(compensation === null ? [] : [compensation.call])]);
  if (step.kind !== "action" && step.kind !== "map") return [];
  return step.compensation === null ? [step.action] : [step.action, step.compensation.action];
}

function viewOf(definition: SagaDefinition): DefinitionView {
  const { name, runType: type = "saga", version, description, timeoutMs, waves, pivotAfterWave } = definition;
  return {
    ...{ name, type, version, description: description ?? null, timeoutMs, available: true, pivotAfterWave },
    waves: waves.map(({ steps }) => ({
      steps: steps.map(viewOfStep),
    })),
  };
}

function viewOfStep(step: StepDefinition): DefinitionStepView {
  const acts = step.kind === "action" || step.kind === "map";
  const undo = acts ? step.compensation : null;
  return {
    name: step.name,
    kind: step.kind,
    ...(acts ? describeAction(step.action) : { service: null, endpoint: null }),
    concurrency: step.kind === "map" || step.kind === "batch" ? step.concurrency : null,
    signal: step.kind === "wait" ? step.signal : null,
    saga: step.kind === "child" ? step.saga : null,
    conditional: step.when !== undefined,
    compensation: undo && (describeAction(undo.action).endpoint ?? "local"),
  };
}
