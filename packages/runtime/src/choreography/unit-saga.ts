import { defineSaga } from "../saga/define.js";
import type { SagaDefinition, Unit, WaitStep } from "../saga/definition.js";

/** A run ends by what its stages' ends say; none of them has an end of time of its own. */
const NO_TIMEOUT_MS = 10 * 365 * 86_400_000;

/** What a unit's runs follow: its stage and nothing else; of a gate, a wait for each unit of its wave. */
export function unitSaga(saga: SagaDefinition, unit: Unit): SagaDefinition {
  const { step, after, isPastPivot } = unit;
  return defineSaga({
    name: unitSagaName(saga.name, unit.name),
    description: `stage ${unit.name} of ${saga.name}`,
    waves: [{ steps: step === null ? after.map(waitFor) : [step] }],
    // Before its first wave: whatever it does, it only goes forward.
    pivotAfterWave: isPastPivot ? -1 : null,
    timeoutMs: NO_TIMEOUT_MS,
    ...(saga.retry !== undefined && { retry: saga.retry }),
    unit: { saga, unit },
  });
}

function unitSagaName(saga: string, unit: string): string {
  return `${saga}.${unit}`;
}

function waitFor(unit: string): WaitStep {
  return { name: unit, kind: "wait", signal: unit, timeoutMs: null, onTimeout: "fail" };
}
