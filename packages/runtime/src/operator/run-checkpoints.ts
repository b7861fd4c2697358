import { fold } from "../engine/fold.js";
import { isOfJournal } from "../engine/good-checkpoint.js";
import { forbidsRestore, RESTORE, type RestorePayload } from "../engine/restore.js";
import { RuntimeError } from "../errors.js";
import { isObject, type Json } from "../json.js";
import { type Ports, uuidV7 } from "../ports.js";
import type { RestoreCheckpoint } from "../saga/manager.js";
import type { Checkpoint, RunStore } from "../store/run-store.js";
import type { PlanRegistry } from "../worker/worker.js";
import { diffOf } from "./context-diff.js";
import { answerTo, forbidden, sendWish } from "./run-wish.js";
import type { CheckpointDiff, CheckpointView } from "./views.js";

export interface RunCheckpointsOptions {
  readonly store: RunStore;
  readonly ports: Ports;
  readonly registry: PlanRegistry;
  readonly poke: (run: string) => void;
}

/** The snapshots of a run's context, for people: looking at one, comparing two, going back to one. */
export class RunCheckpoints {
  readonly #options: RunCheckpointsOptions;

  constructor(options: RunCheckpointsOptions) {
    this.#options = options;
  }

  async inspect(id: string, n: number): Promise<CheckpointView> {
    return viewOf(await this.#find(id, n));
  }

  async diff(id: string, from: number, to: number): Promise<CheckpointDiff> {
    const [before, after] = await Promise.all([this.#find(id, from), this.#find(id, to)]);
    return { from, to, ...diffOf(before.context, after.context) };
  }

  /**
   * The owner takes it in, and journals the context with who and why, so that whoever restores the run later finds it
   * there. Checked here against the state as it stands, and again by the owner.
   */
  async restore(id: string, n: number, request: RestoreCheckpoint): Promise<void> {
    const { store, ports, registry } = this.#options;
    const { idempotencyKey, reason, actor } = request;
    const wish = idempotencyKey === undefined ? uuidV7(ports) : `${RESTORE}:${idempotencyKey}`;
    const run = await store.get(id);
    if (run === undefined) throw notFound(id);
    const rows = await store.journal(id, 0, Number.MAX_SAFE_INTEGER);
    const answer = answerTo(wish, rows);
    if (answer?.kind === "verb-refused") throw forbidden(id, RESTORE, answer.reason);
    if (answer !== undefined) return;
    const plan = registry.find(run.definition, run.version) ?? null;
    const refusal = forbidsRestore(plan, fold(plan, run.createdAt, rows));
    if (refusal !== null) throw forbidden(id, RESTORE, refusal);
    const checkpoint = await this.#find(id, n);
    const { fence, context } = checkpoint;
    if (!isOfJournal(rows, checkpoint) || !isObject(context))
      throw forbidden(id, RESTORE, `the journal does not know of checkpoint ${n}; restore another one`);
    const payload = { reason, fence, n, context } satisfies RestorePayload;
    await sendWish(this.#options, { run: id, id: wish, name: RESTORE, reason, actor, payload: payload as Json });
  }

  async #find(id: string, n: number): Promise<Checkpoint> {
    const { store } = this.#options;
    const checkpoints = await store.checkpoints(id);
    const found = checkpoints.find((checkpoint) => checkpoint.n === n);
    if (found !== undefined) return found;
    if (checkpoints.length === 0 && (await store.get(id)) === undefined) throw notFound(id);
    const kept = checkpoints.map((checkpoint) => checkpoint.n).join(", ") || "none";
    const message = `expected the number of a checkpoint that run ${id} keeps, got ${n}; it keeps: ${kept}`;
    throw new RuntimeError("checkpoint-not-found", message, { run: id, n });
  }
}

function viewOf({ n, fence, seq, at, context }: Checkpoint): CheckpointView {
  return { n, fence, seq, at, bytes: Buffer.byteLength(JSON.stringify(context)), context };
}

function notFound(id: string): RuntimeError {
  return new RuntimeError("run-not-found", `expected the id of a run, got ${JSON.stringify(id.slice(0, 100))}`);
}
