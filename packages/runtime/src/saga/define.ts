import { createHash } from "node:crypto";
import { RuntimeError } from "../errors.js";
import { canonicalJson, type Json } from "../json.js";
import type { BatchWork, SagaDefinition, ServiceCall, StepDefinition } from "./definition.js";

/** No colon (keys use it), nothing that could be a path. */
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/** Items of a list, which a run keeps in memory; and of those at once. */
const MOST_ITEMS = 10_000;
const MOST_AT_ONCE = 1_000;
const isCount = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;

/** Checks a declared graph and gives it its version. Every definition, from code or config, is made here. */
export function defineSaga(draft: Omit<SagaDefinition, "version">): SagaDefinition {
  const refuse = (message: string): never => {
    throw new RuntimeError("definition-invalid", `saga ${JSON.stringify(draft.name)}: ${message}`, {
      saga: draft.name,
    });
  };
  if (!NAME.test(draft.name)) refuse(`expected a name of letters, digits, "_", "-" or ".", starting with a letter`);
  const seen = new Set<string>();
  for (const step of draft.waves.flatMap((wave) => wave.steps)) {
    if (!NAME.test(step.name))
      refuse(`expected step names of letters, digits, "_", "-" or ".", got ${JSON.stringify(step.name)}`);
    if (seen.has(step.name)) refuse(`expected each step name once, got ${JSON.stringify(step.name)} twice`);
    seen.add(step.name);
    if (step.kind === "wait" && !NAME.test(step.signal))
      refuse(
        `expected step "${step.name}" to wait for a signal named by letters, digits, "_", "-" or ".", got ${JSON.stringify(step.signal)}`,
      );
    if (step.kind === "map" && !isCount(step.concurrency, MOST_AT_ONCE))
      refuse(`expected a concurrency of 1 to ${MOST_AT_ONCE} in step "${step.name}", got ${step.concurrency}`);
    if (step.kind === "map" && !isCount(step.maxItems, MOST_ITEMS))
      refuse(`expected at most 1 to ${MOST_ITEMS} items in step "${step.name}", got ${step.maxItems}`);
    if (step.kind === "child" && !NAME.test(step.saga))
      refuse(`expected step "${step.name}" to run a saga by its name, got ${JSON.stringify(step.saga)}`);
  }
  if (seen.size === 0) refuse("expected at least one step, got none");
  if (draft.waves.some((wave) => wave.steps.length === 0))
    refuse("expected every parallel group to have a step, got an empty one");
  return Object.freeze({ ...draft, version: fingerprint(draft) });
}

/**
 * Of the graph's shape alone: a hash of the code or of timeouts would strand runs at each deploy. What a running saga
 * could not survive changes it: names, order, kinds, pivot, signals waited for, child sagas, and whether a step can be undone.
 */
function fingerprint(draft: Omit<SagaDefinition, "version">): string {
  const shape = {
    name: draft.name,
    pivot: draft.pivotAfterWave,
    ...(draft.style === "choreography" && { style: draft.style }),
    ...(draft.unit !== undefined && { of: draft.unit.saga.version }),
    waves: draft.waves.map((wave) => wave.steps.map(shapeOf)),
  };
  return createHash("sha256").update(canonicalJson(shape)).digest("hex").slice(0, 16);
}

function shapeOf(step: StepDefinition): Json {
  const { name, kind } = step;
  switch (step.kind) {
    case "action":
    case "map":
      return [name, kind, step.compensation !== null];
    case "sleep":
      return [name, kind];
    case "wait":
      return [name, kind, step.signal];
    case "child":
      return [name, kind, step.saga];
    case "batch":
      return [name, kind, step.sourceKind, workShape(step.work)];
  }
}

/** Chunks are worked by whoever has the version: what an item goes through is a part of it. */
function workShape(work: BatchWork): Json {
  if (work.kind !== "stages") return work.kind;
  return work.stages.map(({ name, compensation }) => [name, compensation !== null]);
}

/** Where a step is performed, in a word: for definitions' views. */
export function describeAction(action: ServiceCall | { readonly run: unknown }): {
  readonly service: string | null;
  readonly endpoint: string | null;
} {
  return "service" in action
    ? { service: action.service, endpoint: action.endpoint }
    : { service: null, endpoint: null };
}
