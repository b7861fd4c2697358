import { BusinessRefusal, RuntimeError } from "../errors.js";
import { checkText, type Json } from "../json.js";
import type { BarrierCall } from "./barrier.js";

/** What the table says about a step's key; undefined: nothing. */
export type Known =
  | { readonly state: "done"; readonly answer: Json }
  | { readonly state: "refused"; readonly refusal: Refusal }
  | { readonly state: "undone" };

export interface Refusal {
  readonly code: string;
  readonly message: string;
  /** HTTP status. */
  readonly status: number;
}

export type Verdict =
  /** Call the handler; the row follows it. */
  | { readonly kind: "perform"; readonly answered: Json | undefined }
  /** A compensation that finds nothing: the key becomes undone without the handler. */
  | { readonly kind: "mark" }
  | { readonly kind: "answer"; readonly answer: Json }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

const COMPENSATED: Refusal = {
  code: "compensated",
  message: "the step was undone before this call of it came; it has no effect",
  status: 409,
};

/** What is to be done about a call, its fence being good. Pure: the one place where the barrier's rules are. */
export function judge(call: BarrierCall, known: Known | undefined, undoUnknown: boolean): Verdict {
  if (call.forwardKey === undefined) {
    if (known === undefined) return { kind: "perform", answered: undefined };
    if (known.state === "done") return { kind: "answer", answer: known.answer };
    return { kind: "refuse", refusal: known.state === "refused" ? known.refusal : COMPENSATED };
  }
  if (known?.state === "undone") return { kind: "answer", answer: null };
  if (known?.state === "done") return { kind: "perform", answered: known.answer };
  // What the caller has seen done was done, also when its row is gone: pruned, or lost with a restored backup.
  return call.outcome === "completed" || undoUnknown ? { kind: "perform", answered: undefined } : { kind: "mark" };
}

const MAX_KEY_LENGTH = 1_000;

/** The key whose row the call is about. Error: `input-invalid` for a call that no barrier can keep. */
export function keyOf({ runId, idempotencyKey, fence, forwardKey }: BarrierCall): string {
  for (const [name, text] of Object.entries({ runId, idempotencyKey, forwardKey })) {
    if (text === undefined) continue;
    checkText(text, `${name} of a call`);
    if (text === "" || text.length > MAX_KEY_LENGTH)
      throw invalid(`expected ${name} of 1 to ${MAX_KEY_LENGTH} characters, got ${text.length}`);
  }
  if (!Number.isSafeInteger(fence) || fence < 0)
    throw invalid(`expected a fence that is a whole number, got ${String(fence)}`);
  return forwardKey ?? idempotencyKey;
}

/**
 * To whom the fence of a call belongs: to its run, but the items of a batch, and of a step that maps over a list, to each of them. The items of
 * a batch are in chunks that have owners of their own.
 */
export function fenceScopeOf({ runId, idempotencyKey, forwardKey }: BarrierCall): string {
  const key = forwardKey ?? idempotencyKey;
  // The name of a step has no slash; the key of an item may have some.
  return key.startsWith(`${runId}:items[`) ? key.slice(0, key.lastIndexOf("/")) : runId;
}

function invalid(message: string): RuntimeError {
  return new RuntimeError("input-invalid", message);
}

export function staleFence({ runId, fence }: BarrierCall, newest: number): RuntimeError {
  const message = `expected fence ${newest} or higher of run ${runId}, got ${fence}: another instance owns the run now`;
  return new RuntimeError("stale-fence", message, { run: runId, fence, newest });
}

export function inProgress({ idempotencyKey }: BarrierCall): RuntimeError {
  const message = `expected call ${idempotencyKey} to be alone, got one of the same step still at work; try again later`;
  return new RuntimeError("in-progress", message, { key: idempotencyKey });
}

/** A refusal given before, or one with a status of its own. */
export class RememberedRefusal extends BusinessRefusal {
  /** HTTP status. */
  readonly status: number;

  constructor({ code, message, status }: Refusal) {
    super(message, code);
    this.status = status;
  }
}

const UNPROCESSABLE = 422;

export function refusalOf(error: BusinessRefusal): Refusal {
  const status = error instanceof RememberedRefusal ? error.status : UNPROCESSABLE;
  return { code: error.code.slice(0, 100), message: error.message.slice(0, 500), status };
}
