import type { Json } from "../../json.js";
import type { StepKind } from "./step-kind.js";

/** A durable timer by the store's clock. It begins when its row is written, and ends in the first row at or after its time. */
export const sleep: StepKind = {
  begin: ({ name, definition }, step) => {
    const fixed = definition.kind === "sleep" && typeof definition.duration === "number" ? definition.duration : null;
    const time = timeOf(fixed ?? step.evaluated?.value ?? null);
    if (time === null) throw new Error(`expected a time in step "${name}", which was judged when it was evaluated`);
    return { kind: "suspended", step: name, attempt: step.forward.attempt + 1, ...time };
  },
  proceed: ({ planned, step, now }) =>
    now >= (step.forward.dueAt ?? 0)
      ? [{ kind: "completed", step: planned.name, attempt: step.forward.attempt, output: null }]
      : [],
  refusesValue: (_, value) =>
    timeOf(value) === null
      ? `expected a number of milliseconds or an ISO 8601 time with its zone, got ${JSON.stringify(value).slice(0, 80)}`
      : null,
};

/** No timer lasts longer, nor lies later: a hundred years. */
const MAX_MS = 100 * 365 * 86_400_000;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/;

/** What is past is over at once. */
function timeOf(value: Json): { readonly afterMs: number } | { readonly until: number } | null {
  if (typeof value === "number" && value <= MAX_MS) return { afterMs: Math.max(0, Math.ceil(value)) };
  if (typeof value !== "string" || !ISO_TIME.test(value)) return null;
  const until = Date.parse(value);
  return Number.isNaN(until) ? null : { until };
}
