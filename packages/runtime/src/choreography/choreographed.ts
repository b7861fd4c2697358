import type { SagaDefinition } from "../saga/definition.js";
import { unitSaga } from "./unit-saga.js";
import { isElsewhere, type Units, unitsOf } from "./units.js";

/** A choreographed saga, and what its units' runs follow. */
export interface Choreographed {
  readonly saga: SagaDefinition;
  readonly units: Units;
  /** By unit; without those performed elsewhere. */
  readonly sagas: ReadonlyMap<string, SagaDefinition>;
  /** Its runs are those of this service, and observed here; false: this service has but a stage of it. */
  readonly isObserved: boolean;
}

/** Error: `definition-invalid`. */
export function choreograph(saga: SagaDefinition): Choreographed {
  return { ...choreographedOf(saga, unitsOf(saga)), isObserved: true };
}

export function choreographedOf(saga: SagaDefinition, units: Units): Omit<Choreographed, "isObserved"> {
  const here = units.all.filter((unit) => !isElsewhere(unit));
  return { saga, units, sagas: new Map(here.map((unit) => [unit.name, unitSaga(saga, unit)])) };
}
