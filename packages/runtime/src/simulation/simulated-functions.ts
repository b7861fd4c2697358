import type { JournalRecord } from "../engine/records.js";
import type { StepState } from "../engine/state.js";
import type { Suspension } from "../engine/step-outcome.js";
import type { SagaDefinition, StepDefinition } from "../saga/definition.js";
import { SIGNALS } from "./random-signals.js";
import type { SeededRandom } from "./seeded-random.js";

/** The same saga with functions in the place of some of its actions that nothing undoes. */
export function withFunctions(saga: Omit<SagaDefinition, "version">, random: SeededRandom): typeof saga {
  const of = (step: StepDefinition): StepDefinition => {
    if (step.kind !== "action" || step.compensation !== null || !random.chance(0.5)) return step;
    const { name, when, timeoutMs, retry } = step;
    return { name, kind: "function", version: "1", run: () => null, timeoutMs, retry, ...(when && { when }) };
  };
  return { ...saga, waves: saga.waves.map(({ steps }) => ({ steps: steps.map(of) })) };
}

/** What a function under way does next, before it comes to its end; null: that. */
export function onItsWay(
  step: StepState,
  random: SeededRandom,
): { says: JournalRecord } | { parks: Suspension } | null {
  const says = saying(step, random);
  if (says !== null) return { says };
  const parks = random.chance(0.35) ? parking(step) : null;
  return parks && { parks };
}

function saying({ name, task }: StepState, random: SeededRandom): JournalRecord | null {
  const [dice, n] = [random.float(), (task?.ops.size ?? 0) + 1];
  if (n < 12 && dice < 0.3) return { kind: "saved", step: name, name: `saved-${n}`, place: n, output: n };
  if (n < 12 && dice < 0.45) {
    const signal = random.chance(0.7) ? { signal: random.pick(SIGNALS) } : {};
    const afterMs = "signal" in signal && random.chance(0.3) ? undefined : random.below(20_000);
    return { kind: "waits", step: name, name: `waits-${n}`, ...signal, ...(afterMs !== undefined && { afterMs }) };
  }
  return dice < 0.5 ? { kind: "progressed", step: name, progress: n } : null;
}

/** One that waits for nothing would wait for ever. */
function parking({ task }: StepState): Suspension | null {
  const awaits = [...(task?.open ?? [])];
  const timers = [...(task?.ops.values() ?? [])].flatMap((op) =>
    op.kind === "sleep" || (op.kind === "signal" && op.taken === null && op.dueAt !== null) ? (op.dueAt ?? []) : [],
  );
  if (awaits.length === 0 && timers.length === 0) return null;
  return { kind: "suspended", until: timers.length === 0 ? null : Math.min(...timers), awaits };
}
