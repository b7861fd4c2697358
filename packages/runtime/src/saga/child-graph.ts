import { RuntimeError } from "../errors.js";
import type { SagaDefinition } from "./definition.js";

/**
 * Sagas run by the steps of others: each must be known here, and none may come back to itself. Of several versions of a name
 * the newest one starts new runs, so a circle can only go through newest ones. Error: `definition-invalid`.
 */
export function checkChildren(
  definitions: readonly SagaDefinition[],
  newest: ReadonlyMap<string, SagaDefinition>,
): void {
  for (const definition of definitions) {
    for (const { step, saga } of childrenOf(definition)) {
      const child = newest.get(saga);
      if (child !== undefined && child.runType !== "batch") continue;
      const got = child === undefined ? `none; known are: ${[...newest.keys()].join(", ")}` : "a batch";
      const message = `expected the saga ${JSON.stringify(saga)}, which step "${definition.name}.${step}" runs, got ${got}`;
      throw new RuntimeError("definition-invalid", message, { saga: definition.name, step, child: saga });
    }
  }
  for (const name of newest.keys()) checkPath([name], newest);
}

function checkPath(path: readonly string[], newest: ReadonlyMap<string, SagaDefinition>): void {
  const definition = newest.get(path.at(-1) ?? "");
  for (const { step, saga } of definition === undefined ? [] : childrenOf(definition)) {
    if (!path.includes(saga)) checkPath([...path, saga], newest);
    else {
      const circle = [...path.slice(path.indexOf(saga)), saga].join(" -> ");
      const message = `expected sagas that do not run themselves, got ${circle}; take the step "${definition?.name}.${step}" out`;
      throw new RuntimeError("definition-invalid", message, { saga: definition?.name, step });
    }
  }
}

function childrenOf(definition: SagaDefinition): { readonly step: string; readonly saga: string }[] {
  return definition.waves.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "child" ? [{ step: step.name, saga: step.saga }] : [])),
  );
}
