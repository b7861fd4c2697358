import type { SagaDefinition, StepDefinition } from "../../saga/definition.js";
import type { Definition } from "../../saga/registry.js";
import type { Performer } from "./performer.js";

/** The same saga, of the same version, whose functions are called through the performer. */
export function watchDefinition(definition: Definition, performer: Performer): Definition {
  if ("type" in definition) return definition;
  const waves = definition.waves.map(({ steps }) => ({ steps: steps.map((step) => watchStep(step, performer)) }));
  return Object.freeze<SagaDefinition>({ ...definition, waves });
}

/** A kind of step with a function of the user's own in it has a case here. */
function watchStep(step: StepDefinition, performer: Performer): StepDefinition {
  if (step.kind !== "action" && step.kind !== "map") return step;
  const { action, compensation } = step;
  const undo = compensation?.action;
  return {
    ...step,
    action: "run" in action ? { run: performer.handler(action.run) } : action,
    compensation:
      compensation !== null && undo !== undefined && "run" in undo
        ? { ...compensation, action: { run: performer.handler(undo.run) } }
        : compensation,
  };
}
