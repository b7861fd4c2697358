import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { CompensationCall, ContextHandle, StepCall, TransactionRunner } from "../saga/definition.js";
import type { AttemptAbort } from "../worker/attempt-abort.js";

/** What a stage of a batch is called about. */
export interface StageFacts {
  readonly run: { readonly id: string; readonly input: Json };
  readonly item: Json;
  readonly key: string;
  /** Grows with each owner of the item. */
  readonly fence: number;
  /** `items[<key>]/<stage>`. */
  readonly stage: string;
  readonly idempotencyKey: string;
  readonly timeoutMs: number;
  readonly abort: AttemptAbort;
}

export interface StageInput {
  readonly input: Json;
  /** The stage's own expression made it. */
  readonly isMapped: boolean;
  /** Of the item's earlier stages. */
  readonly outputs: Readonly<Record<string, Json>>;
  readonly attempt: number;
}

/** Chunks have no run's context: what an item gives is known to its own stages alone. */
const NO_CONTEXT: ContextHandle = { get: () => ({}), patch: () => {}, checkpoint: () => Promise.resolve() };

const noTransaction: TransactionRunner = () =>
  Promise.reject(
    new RuntimeError(
      "feature-unavailable",
      "expected no transaction in a stage of a batch, got one; a batch with a handler for chunks has them",
    ),
  );

/** An item is done soon: nobody waits for its signs of life. */
export const NO_HEARTBEAT = { heartbeat: () => {}, heartbeatMs: null, heartbeatDetails: null } as const;

export function stageCall(facts: StageFacts, { input, isMapped, outputs, attempt }: StageInput): StepCall {
  const { run, item, key, fence, stage, idempotencyKey, timeoutMs, abort } = facts;
  return {
    runId: run.id,
    runInput: run.input,
    fence,
    context: NO_CONTEXT,
    ...NO_HEARTBEAT,
    transaction: noTransaction,
    get signal() {
      return abort.signal;
    },
    ...{ stage, item, key, idempotencyKey, timeoutMs, input, isMapped, outputs, attempt },
  };
}

export function stageUndoCall(
  facts: StageFacts,
  about: StageInput,
  undone: Pick<CompensationCall, "outcome" | "output" | "reason">,
): CompensationCall {
  const { idempotencyKey } = facts;
  return {
    ...stageCall(facts, about),
    ...undone,
    forwardKey: idempotencyKey,
    idempotencyKey: `${idempotencyKey}:compensate`,
  };
}
