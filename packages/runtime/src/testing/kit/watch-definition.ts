import type { Json } from "../../json.js";
import type { SagaDefinition, StepDefinition } from "../../saga/definition.js";
import type { Definition } from "../../saga/registry.js";
import type { HeldCall, Performer } from "./performer.js";

/** The same saga, of the same version, whose functions are called through the performer. */
export function watchDefinition(
  definition: Definition,
  performer: Performer,
  items: readonly Json[] | null,
): Definition {
  if (!("waves" in definition)) return definition;
  const waves = definition.waves.map(({ steps }) => ({
    steps: steps.map((step) => watchStep(step, performer, items)),
  }));
  return Object.freeze<SagaDefinition>({ ...definition, waves });
}

function watchStep(step: StepDefinition, performer: Performer, items: readonly Json[] | null): StepDefinition {
  if (step.kind === "batch" && items !== null) return watchOthers({ ...step, source: () => ({ items }) }, performer);
  if (step.kind !== "action" && step.kind !== "map") return watchOthers(step, performer);
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

/** Whatever else carries a function of the user's own, `run` or `work.run`: time waits for it. Nothing is made to fail in it. */
function watchOthers(step: StepDefinition, performer: Performer): StepDefinition {
  const work = "work" in step ? step.work : undefined;
  const watched = {
    ...("run" in step && isHandler(step.run) && { run: performer.held(step.run) }),
    ...(hasHandler(work) && { work: { ...work, run: performer.held(work.run) } }),
  };
  return Object.keys(watched).length === 0 ? step : { ...step, ...watched };
}

type Handler = (call: HeldCall) => unknown;

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

function hasHandler(value: unknown): value is { readonly run: Handler } {
  return typeof value === "object" && value !== null && "run" in value && isHandler(value.run);
}
