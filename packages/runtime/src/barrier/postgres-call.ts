import { BusinessRefusal, RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { BarrierCall } from "./barrier.js";
import { decodeKnown, encodeKnown, toAnswer } from "./known-row.js";
import type { PostgresClient } from "./postgres-client.js";
import { ask, commit, isLockTimeout } from "./postgres-connection.js";
import type { Statements } from "./postgres-statements.js";
import { fenceScopeOf, inProgress, judge, type Known, keyOf, type Refusal, refusalOf, staleFence } from "./verdict.js";

/** How a call came out: the first one, or a later one that is told the same. */
export type Settled = { readonly answer: Json } | { readonly refusal: Refusal };

export interface PostgresCall {
  readonly client: PostgresClient;
  readonly statements: Statements;
  /** Opens a transaction that waits for locks, and stands idle, for a bounded time. */
  readonly begin: string;
  readonly call: BarrierCall;
  readonly handler: (answered: Json | undefined) => unknown;
  readonly undoUnknown: boolean;
  readonly maxAnswerBytes: number;
}

/** One call in one transaction. A throw leaves the transaction to be rolled back. */
export async function performCall(options: PostgresCall): Promise<Settled> {
  const { client, statements, call, handler, undoUnknown, maxAnswerBytes } = options;
  const key = keyOf(call);
  const fenceScope = fenceScopeOf(call);
  const forward = call.forwardKey === undefined;
  refuseOlder(call, await ask(() => statements.raiseFence(client, fenceScope, call.fence)));
  await ask(() => client.query(options.begin));
  const { known, tx } = await claim(options, encodeKnown(forward ? { state: "done", answer: null } : UNDONE));
  // A newer owner may have spoken while this call waited.
  refuseOlder(call, await ask(() => statements.newestFence(client, fenceScope)));
  const verdict = judge(call, known, undoUnknown);
  if (verdict.kind === "answer" || verdict.kind === "refuse") {
    await ask(() => client.query("rollback"));
    return verdict.kind === "answer" ? { answer: verdict.answer } : { refusal: verdict.refusal };
  }
  let answer: Json = null;
  if (verdict.kind === "perform") {
    try {
      const value = await handler(verdict.answered);
      if (forward) answer = toAnswer(value, key, maxAnswerBytes);
    } catch (error) {
      if (forward && error instanceof BusinessRefusal) return rememberRefusal(options, refusalOf(error));
      throw error;
    }
  }
  // A key that is only marked is written by now, if it was unknown.
  if (verdict.kind === "perform" || known !== undefined) {
    const row = encodeKnown(forward ? { state: "done", answer } : UNDONE);
    if (!(await ask(() => statements.settle(client, key, row, tx)))) throw endedByHandler();
  }
  await commit(client);
  return { answer };
}

const UNDONE: Known = { state: "undone" };

function refuseOlder(call: BarrierCall, newest: number): void {
  if (newest > call.fence) throw staleFence(call, newest);
}

/** Of an unknown key `row` is written, which makes the key's other calls wait for this transaction. */
async function claim(
  { client, statements, call }: PostgresCall,
  row: ReturnType<typeof encodeKnown>,
): Promise<{ readonly known: Known | undefined; readonly tx: string }> {
  const key = keyOf(call);
  try {
    return await ask(async () => {
      for (;;) {
        const tx = await statements.claim(client, key, row);
        if (tx !== undefined) return { known: undefined, tx };
        // Of a step the row's state is final, but for its compensation, which may as well come later.
        const found =
          call.forwardKey === undefined
            ? { row: await statements.read(client, key), tx: "" }
            : await statements.lock(client, key);
        // None: it was pruned between the two statements.
        if (found?.row !== undefined) return { known: decodeKnown(found.row), tx: found.tx };
      }
    });
  } catch (error) {
    throw isLockTimeout(error) ? inProgress(call) : error;
  }
}

/**
 * The transaction of a refusal is undone, with whatever its handler did, and the refusal kept in one of its own. What
 * became of the key in between goes before it.
 */
async function rememberRefusal(options: PostgresCall, refusal: Refusal): Promise<Settled> {
  const { client, call, begin } = options;
  await ask(() => client.query("rollback"));
  await ask(() => client.query(begin));
  const { known } = await claim(options, encodeKnown({ state: "refused", refusal }));
  if (known === undefined) {
    await commit(client);
    return { refusal };
  }
  await ask(() => client.query("rollback"));
  const verdict = judge(call, known, false);
  if (verdict.kind === "answer") return { answer: verdict.answer };
  return { refusal: verdict.kind === "refuse" ? verdict.refusal : refusal };
}

function endedByHandler(): RuntimeError {
  const message =
    "expected the handler to leave the transaction open, got one that it had ended; leave begin, commit and rollback to the barrier";
  return new RuntimeError("internal", message);
}
