import { isEnded } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import { hashOfInput } from "../saga/checked-input.js";
import type { SagaDefinition } from "../saga/definition.js";
import type { FailedItemsQuery, RetriedItems, RetryFailedRequest } from "../saga/manager.js";
import type { BatchStore, FailedItemPage } from "../store/batch-store.js";
import type { CreateResult, CreateRun, RunRow, RunStore } from "../store/run-store.js";
import { requeueAll } from "../worker/batch-steps.js";
import { RETRIES } from "./batch-worker.js";

export interface BatchOperationsOptions {
  readonly store: Pick<RunStore, "get" | "batches">;
  /** The newest version of that name. */
  readonly latest: (definition: string) => SagaDefinition;
  readonly newId: () => string;
  readonly create: (run: CreateRun) => Promise<CreateResult>;
  /** What claims a run as it is created; null: others should have it. */
  readonly claim: (id: string, definition: string, version: string) => CreateRun["claim"];
  /** Asks for the verb `retry`. */
  readonly retry: (run: string, request: RetryFailedRequest) => Promise<void>;
  readonly opened: () => void;
}

const DEFAULT_LIMIT = 50;
const MOST = 10_000;

/** What people may ask of a batch's items. */
export class BatchOperations {
  readonly #options: BatchOperationsOptions;

  constructor(options: BatchOperationsOptions) {
    this.#options = options;
  }

  async failedItems(id: string, { limit = DEFAULT_LIMIT, cursor }: FailedItemsQuery): Promise<FailedItemPage> {
    const { store } = await this.#batch(id);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST)
      throw new RuntimeError("input-invalid", `expected a limit of 1 to ${MOST}, got ${limit}`);
    return store.failures(id, { limit, ...(cursor !== undefined && { cursor }) });
  }

  /** Of a batch that goes on, at once; of one that is stuck, as it is led on; of one that has ended, by a run of their own. */
  async retryFailed(id: string, request: RetryFailedRequest): Promise<RetriedItems> {
    const { run, store } = await this.#batch(id);
    const failed = (await store.get(id))?.failed ?? 0;
    if (failed === 0)
      throw new RuntimeError("verb-forbidden", "expected a batch with items that failed, got one without", { run: id });
    if (isEnded(run.status)) return { run: await this.#restart(run, request), items: failed };
    if (run.status === "stuck") {
      await this.#options.retry(id, request);
      return { run: id, items: failed };
    }
    const definition = this.#options.latest(run.definition);
    const items = await requeueAll(store, id, chunkSizeOf(definition), `r${this.#options.newId().slice(-12)}`);
    this.#options.opened();
    return { run: id, items };
  }

  async #batch(id: string): Promise<{ readonly run: RunRow; readonly store: BatchStore }> {
    const { store } = this.#options;
    const run = await store.get(id);
    if (run === undefined)
      throw new RuntimeError("run-not-found", `expected the id of a run, got ${JSON.stringify(id.slice(0, 100))}`);
    if (run.type === "batch" && store.batches !== undefined) return { run, store: store.batches };
    throw new RuntimeError("verb-forbidden", `expected the run of a batch, got a ${run.type}`, { run: id });
  }

  /** The same request again gives the same run. */
  async #restart(run: RunRow, { idempotencyKey }: RetryFailedRequest): Promise<string> {
    const { latest, newId, claim, create } = this.#options;
    const { name, version } = latest(run.definition);
    const id = newId();
    const { tenant, businessKey, sessionId, queue, partitionKey, priority, input } = run;
    const result = await create({
      ...{ id, tenant, type: "batch", definition: name, version, businessKey, sessionId, queue, partitionKey, priority, input },
      key: idempotencyKey === undefined ? null : `retry-failed:${run.id}:${idempotencyKey}`,
      inputHash: hashOfInput(input),
      attributes: { [RETRIES]: run.id },
      ...{ rootId: id, parentId: null, restartedFrom: run.id },
      claim: claim(id, name, version),
    });
    if (result.kind === "rejected")
      throw new RuntimeError("input-invalid", `expected a run that the store takes, got one it refused: ${result.reason}`);
    return result.run.id;
  }
}

function chunkSizeOf({ waves }: SagaDefinition): number {
  const step = waves[0]?.steps[0];
  return step?.kind === "batch" ? step.chunkSize : 1;
}
