import type { SagaDefinition } from "../saga/definition.js";
import { unitSaga } from "./unit-saga.js";
import { type Units, unitsOf } from "./units.js";

/** A choreographed saga, and what its units' runs follow. */
export interface Choreographed {
  readonly saga: SagaDefinition;
  readonly units: Units;
  /** By unit. */
  readonly sagas: ReadonlyMap<string, SagaDefinition>;
}

/** Error: `definition-invalid`. */
export function choreograph(saga: SagaDefinition): Choreographed {
  const units = unitsOf(saga);
  return { saga, units, sagas: new Map(units.all.map((unit) => [unit.name, unitSaga(saga, unit)])) };
}
