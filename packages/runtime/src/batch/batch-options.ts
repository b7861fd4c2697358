import type { Duration } from "../duration.js";
import type { Json } from "../json.js";
import type { ChunkHandler, ItemHandler, ServiceCall, SourceChoice } from "../saga/definition.js";
import type { InputTemplate, RetryOptions, ServiceCompensation, StepOptions } from "../saga/step-options.js";
import type { SourceScope } from "./item-source.js";

/** What is said of a batch, beside what is done for its items. */
export interface BatchOptions<Item, Input = Json> {
  /** Where the items come from; or a function of the run that says so, asked anew by each instance that reads: it gives the same for one run. */
  readonly source:
    | SourceChoice<Item>
    | ((scope: SourceScope & { readonly input: Input }) => SourceChoice<Item> | Promise<SourceChoice<Item>>);
  /** Items in a chunk, 1 to 100,000: what is settled in one write, and what is done again at most when a worker dies. Default 100. */
  readonly chunkSize?: number;
  /** Chunks under way at once, over all instances, 1 to 1,000. Default 1. */
  readonly concurrency?: number;
  /** Items that may fail; one more halts the batch, and parks its run `stuck`. Null: any number. Default 0. */
  readonly maxFailures?: number | null;
  /** Part of the items that may fail, 0 to 1, judged once 100 are settled, and at the end. Default: any part. */
  readonly maxFailureRatio?: number | null;
  /** Items that begin in a window, over all instances; evenly, chunk by chunk. Default: as fast as they go. */
  readonly rateLimit?: { readonly max: number; readonly window: Duration };
  /** Of attempts at an item, or a chunk. What it leaves out comes from the service, then from the manager's `recovery`. */
  readonly retry?: RetryOptions;
  /** Of one attempt at an item, or a chunk. Default: the service's, else 30 s. */
  readonly itemTimeout?: Duration;
  /** Of a whole run, without the time it is parked. Default: the manager's `saga.timeoutMs`. */
  readonly timeout?: Duration;
  readonly description?: string;
  /** As those of a saga. */
  readonly attributes?: (input: Input) => Readonly<Record<string, string>>;
  readonly checkInput?: (input: Input) => void;
}

/** What is done for the items: exactly one of these. */
export type BatchWorkOptions<Item, Input = Json> =
  | { readonly stages: readonly [BatchStageOptions<Item, Input>, ...BatchStageOptions<Item, Input>[]] }
  /** For one item after the other; those of other chunks at the same time, up to `concurrency`. */
  | { readonly each: ItemHandler<Item, Input> }
  /** For all items of a chunk together. */
  | { readonly chunk: ChunkHandler<Item, Input> };

/** A service's act for an item. `when` and `input` are computed for each attempt. */
export interface BatchStageOptions<Item = Json, Input = Json> extends StepOptions, ServiceCall {
  readonly name: string;
  /** JSONata, or a function: the stage is for this item only if it gives true. */
  readonly when?: string | ((scope: StageScope<Item, Input>) => boolean | null | undefined);
  /** The body it is sent, as the `input` of a saga's step. Default: the protocol's, with `item` and `key` in it. */
  readonly input?: string | InputTemplate | ((scope: StageScope<Item, Input>) => unknown);
  /** Done when a later stage of the item fails for good, and when this one may have run. */
  readonly compensate?: ServiceCompensation;
}

export interface StageScope<Item = Json, Input = Json> {
  readonly item: Item;
  /** The run's. */
  readonly input: Input;
  /** Of the item's earlier stages, by name. */
  readonly outputs: Readonly<Record<string, Json>>;
}
