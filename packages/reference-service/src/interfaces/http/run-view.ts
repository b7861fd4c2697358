/** How runs look to clients and operators: snake_case, times in ISO 8601. */
import Type from "typebox";
import type { ItemsView, JournalRow, RunSummary, RunView, StepView } from "../../application/ports/runs.js";
import { isoTime, isoTimeOrNull, OptionalTimestamp, Timestamp } from "./schemas.js";

const FailureSchema = Type.Union([
  Type.Object({ code: Type.String(), message: Type.String(), status: Type.Optional(Type.Integer()) }),
  Type.Null(),
]);
const attempts = {
  attempts: Type.Integer(),
  started_at: OptionalTimestamp,
  ended_at: OptionalTimestamp,
  error: FailureSchema,
};

export const RunSummarySchema = Type.Object({
  id: Type.String(),
  definition: Type.String(),
  version: Type.String(),
  type: Type.String(),
  status: Type.String({
    description: "pending running waiting compensating stuck paused completed compensated failed cancelled",
  }),
  rollback: Type.String({ description: "none running done incomplete" }),
  session_id: Type.Union([Type.String(), Type.Null()]),
  parent_id: Type.Union([Type.String(), Type.Null()], { description: "The run of which this is a child." }),
  restarted_from: Type.Union([Type.String(), Type.Null()], {
    description: "The run that this one stands in for, or undoes.",
  }),
  business_key: Type.Union([Type.String(), Type.Null()]),
  attributes: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()]),
  error: FailureSchema,
  created_at: Timestamp,
  updated_at: Timestamp,
  ended_at: OptionalTimestamp,
});

const ProgressSchema = Type.Union(
  [
    Type.Object({
      done: Type.Integer(),
      failed: Type.Integer(),
      skipped: Type.Integer({ description: "They needed nothing, or their source no longer had them." }),
      total: Type.Union([Type.Integer(), Type.Null()], { description: "In the whole source; null: not known yet." }),
      rate: Type.Union([Type.Number(), Type.Null()], {
        description: "Items settled in a second; null: not known yet.",
      }),
      left_ms: Type.Union([Type.Number(), Type.Null()], { description: "Time left at this rate; null: not known." }),
    }),
    Type.Unknown(),
  ],
  { description: "Items of a batch; of a task that is a function, what it said last. Null: nothing is known." },
);

export const RunSchema = Type.Intersect([
  RunSummarySchema,
  Type.Object({
    input: Type.Unknown(),
    output: Type.Unknown(),
    context: Type.Unknown(),
    progress: ProgressSchema,
    steps: Type.Array(
      Type.Object({
        name: Type.String(),
        status: Type.String({ description: "pending running waiting completed skipped refused failed unknown" }),
        round: Type.Integer({ description: "1; more when it was undone and ran again." }),
        output: Type.Unknown(),
        child: Type.Union([Type.String(), Type.Null()], { description: "The run that it started." }),
        ...attempts,
        compensation: Type.Union([
          Type.Object({ status: Type.String(), outcome: Type.String(), ...attempts }),
          Type.Null(),
        ]),
      }),
    ),
  }),
]);

export function presentSummary(run: RunSummary): object {
  return {
    id: run.id,
    definition: run.definition,
    version: run.version,
    type: run.type,
    status: run.status,
    rollback: run.rollbackStatus,
    session_id: run.sessionId,
    parent_id: run.parentId,
    restarted_from: run.restartedFrom,
    business_key: run.businessKey,
    attributes: run.attributes,
    error: run.error,
    created_at: isoTime(run.createdAt),
    updated_at: isoTime(run.updatedAt),
    ended_at: isoTimeOrNull(run.endedAt),
  };
}

export function presentRun(run: RunView): object {
  const { input, output, context, progress, items, steps } = run;
  const shown = { input, output, context, progress: items === null ? progress : presentItems(items) };
  return { ...presentSummary(run), ...shown, steps: steps.map(presentStep) };
}

function presentItems({ done, failed, skipped, total, rate, leftMs }: ItemsView): object {
  return { done, failed, skipped, total, rate, left_ms: leftMs };
}

function presentStep({ name, status, round, output, child, compensation, ...facts }: StepView): object {
  return {
    name,
    status,
    round,
    ...presentAttempts(facts),
    output,
    child,
    compensation:
      compensation === null
        ? null
        : { status: compensation.status, outcome: compensation.outcome, ...presentAttempts(compensation) },
  };
}

function presentAttempts(facts: Pick<StepView, "attempts" | "startedAt" | "endedAt" | "error">): object {
  const { attempts: count, startedAt, endedAt, error } = facts;
  return { attempts: count, started_at: isoTimeOrNull(startedAt), ended_at: isoTimeOrNull(endedAt), error };
}

/** A row of the journal, for operators. */
export function presentRow({ seq, fence, at, records }: JournalRow): object {
  return { seq, fence, at: isoTime(at), records: records.map(toSnakeCase) };
}

/** Keys of the record itself; payloads (`output`, `context`) are the users' and stay as they are. */
export function toSnakeCase(record: object): object {
  const entries = Object.entries(record);
  return Object.fromEntries(
    entries.map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}
