import { type Duration, parseDurationMs } from "../duration.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { QueueLimit } from "../store/queue-limit.js";

/** In which queue the runs of a definition begin, and what that queue may do at once over all instances. */
export interface QueueOptions<Input = Json> {
  /** Definitions that give one name share the queue; its limits are given by one of them, or the same by several. Default: the definition's, when there is a limit. */
  readonly name?: string;
  /** Runs that have begun and not ended, those that sleep or wait included; one that is stuck or paused does not count. From 1. Default: any number. */
  readonly concurrency?: number;
  /** The same for the runs of one key. Default: any number. */
  readonly concurrencyPerKey?: number;
  /** Runs that begin within any window of that length: at most 10,000, within at most a day. Default: any number. */
  readonly rateLimit?: { readonly max: number; readonly window: Duration };
  /** Of runs that wait, the highest begins first. Default 0. */
  readonly priority?: number;
  /** The key of a run, a text of 1 to 256 characters, such as its customer's; null: it has none. A function, or JSONata over `input`. Default: what the start says. */
  readonly key?: ((input: Input) => string | null | undefined) | string;
}

/** The same, checked. A limit that is null is none, or is given by another definition of the queue. */
export interface QueueDefinition extends QueueLimit {
  readonly priority: number;
  readonly key: ((input: Json) => unknown) | null;
}

/** The keys of a task in the config file. */
export interface QueueConfig {
  readonly queue?: string;
  readonly priority?: number;
  readonly concurrency?: number;
  readonly concurrency_per_key?: number;
  readonly rate_limit?: { readonly max: number; readonly window: number | string };
  /** JSONata over `input`. */
  readonly queue_key?: string;
}

/** The queue of runs that name none. It has no limits. */
export const DEFAULT_QUEUE = "default";
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
const MAX_PLACES = 100_000;
const MAX_STARTS = 10_000;
const MAX_WINDOW_MS = 24 * 3_600_000;
export const MAX_PRIORITY = 1_000_000;

interface Given extends Omit<QueueOptions<never>, "rateLimit" | "key"> {
  readonly rateLimit?: { readonly max: number; readonly window: string | number };
  readonly key?: (input: Json) => unknown;
}

/** Error: `definition-invalid`, naming the definition and what of its queue does not fit. */
export function queueOf(definition: string, given: Given): QueueDefinition {
  const { concurrency = null, concurrencyPerKey = null, rateLimit, priority = 0, key = null } = given;
  const isLimited = concurrency !== null || concurrencyPerKey !== null || rateLimit !== undefined;
  const queue = given.name ?? (isLimited ? definition : DEFAULT_QUEUE);
  const refuse = (expected: string, got: unknown): never => {
    const message = `expected ${expected} of "${definition}", got ${JSON.stringify(got)}`;
    throw new RuntimeError("definition-invalid", message, { definition, queue });
  };
  if (!NAME.test(queue))
    refuse('letters, digits, "_", "-" or ".", starting with a letter, as name of the queue', queue);
  if (isLimited && queue === DEFAULT_QUEUE)
    refuse("a queue with a name of its own, for the default one has no limits, as queue", queue);
  const isWhole = (value: number | null, least: number, most: number): boolean =>
    value === null || (Number.isInteger(value) && value >= least && value <= most);
  if (!isWhole(concurrency, 1, MAX_PLACES))
    refuse(`a whole number from 1 to ${MAX_PLACES} as concurrency`, concurrency);
  if (!isWhole(concurrencyPerKey, 1, MAX_PLACES))
    refuse(`a whole number from 1 to ${MAX_PLACES} as concurrency per key`, concurrencyPerKey);
  if (!isWhole(priority, -MAX_PRIORITY, MAX_PRIORITY))
    refuse(`a whole number from -${MAX_PRIORITY} to ${MAX_PRIORITY} as priority`, priority);
  const rate =
    rateLimit === undefined ? null : { max: rateLimit.max, windowMs: windowOf(definition, rateLimit.window) };
  if (rate !== null && !isWhole(rate.max, 1, MAX_STARTS))
    refuse(`a whole number from 1 to ${MAX_STARTS} as max of the rate limit`, rate.max);
  if (rate !== null && !isWhole(rate.windowMs, 1, MAX_WINDOW_MS))
    refuse("a window from 1 ms to 24 h in the rate limit", rateLimit?.window);
  return { queue, concurrency, concurrencyPerKey, rateLimit: rate, priority, key };
}

function windowOf(definition: string, window: string | number): number {
  return parseDurationMs(window, `${definition}.rateLimit.window`);
}

/** What a definition says of it. */
export interface InQueue {
  readonly name: string;
  readonly queue?: QueueDefinition;
  readonly style?: string;
}

/**
 * The limits of the queues, by name. A definition that names a queue and no limit joins it. Error: `definition-invalid` when two
 * definitions do not agree, or a choreographed saga is in a limited queue.
 */
export function queueLimits(definitions: readonly InQueue[]): ReadonlyMap<string, QueueLimit> {
  const limits = new Map<string, { readonly limit: QueueLimit; readonly by: string }>();
  for (const { name, queue } of definitions) {
    if (queue === undefined || !hasLimits(queue)) continue;
    const limit = limitOf(queue);
    const known = limits.get(queue.queue);
    if (known !== undefined && JSON.stringify(known.limit) !== JSON.stringify(limit)) {
      const message = `expected one limit of queue "${queue.queue}", got ${textOf(known.limit)} from "${known.by}" and ${textOf(limit)} from "${name}"; give it in one of them, and only the name in the other`;
      throw new RuntimeError("definition-invalid", message, { queue: queue.queue, definitions: [known.by, name] });
    }
    limits.set(queue.queue, { limit, by: name });
  }
  for (const { name, queue, style } of definitions) {
    if (style !== "choreography" || queue === undefined || !limits.has(queue.queue)) continue;
    const message = `expected the choreographed saga "${name}" in no limited queue, for its stages begin by events, got "${queue.queue}"; use orchestration, or leave the queue out`;
    throw new RuntimeError("definition-invalid", message, { queue: queue.queue, definitions: [name] });
  }
  return new Map([...limits].map(([queue, { limit }]) => [queue, limit]));
}

function hasLimits({ concurrency, concurrencyPerKey, rateLimit }: QueueDefinition): boolean {
  return concurrency !== null || concurrencyPerKey !== null || rateLimit !== null;
}

function limitOf({ queue, concurrency, concurrencyPerKey, rateLimit }: QueueDefinition): QueueLimit {
  return { queue, concurrency, concurrencyPerKey, rateLimit };
}

function textOf({ queue: _, ...limit }: QueueLimit): string {
  return JSON.stringify(limit);
}
