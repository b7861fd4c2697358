import type { StepDefinition } from "../saga/definition.js";

/** Endpoints of the simulated service that have their effect in a transaction of the run store. */
const PREFIX = "/transact";

export function transactedEndpoint(endpoint: string): string {
  return `${PREFIX}${endpoint}`;
}

export function isTransactedEndpoint(endpoint: string): boolean {
  return endpoint.startsWith(PREFIX);
}

export function isTransacted(definition: StepDefinition): boolean {
  if (definition.kind !== "action" && definition.kind !== "map") return false;
  return "endpoint" in definition.action && isTransactedEndpoint(definition.action.endpoint);
}
