import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import type { CreateRun } from "../store/run-store.js";
import type { SagaDefinition } from "./definition.js";
import type { StartOptions } from "./manager.js";
import { DEFAULT_QUEUE, MAX_PRIORITY } from "./queue.js";

/** Where and when a run begins. */
export type Placing = Pick<CreateRun, "queue" | "partitionKey" | "priority"> & {
  readonly limited: boolean;
  readonly delayMs: number;
  readonly debounce: NonNullable<CreateRun["debounce"]> | null;
};

const MAX_KEY_CHARACTERS = 256;
/** Ten years: what is longer is a mistake in the unit. */
const MAX_DELAY_MS = 10 * 365 * 86_400_000;

export interface PlacingContext {
  isLimited(queue: string): boolean;
  /** The store's clock, ms since the epoch. */
  now(): Promise<number>;
}

/** What a definition and a start say together. Error: `input-invalid`. */
export async function placingOf(
  definition: SagaDefinition,
  input: Json,
  options: StartOptions,
  context: PlacingContext,
): Promise<Placing> {
  const { queue = DEFAULT_QUEUE, priority = 0 } = definition.queue ?? {};
  const { debounce } = options;
  checkTogether(definition, options);
  checkWhole("priority", options.priority, -MAX_PRIORITY, MAX_PRIORITY);
  checkWhole("delayMs", options.delayMs, 0, MAX_DELAY_MS);
  checkWhole("debounce.ms", debounce?.ms, 0, MAX_DELAY_MS);
  checkWhole("debounce.maxMs", debounce?.maxMs, debounce?.ms ?? 0, MAX_DELAY_MS);
  checkWhole("startAt", options.startAt, 0, Number.MAX_SAFE_INTEGER);
  return {
    queue,
    partitionKey: await keyOf(definition, input, options),
    priority: options.priority ?? priority,
    limited: context.isLimited(queue),
    delayMs: options.delayMs ?? debounce?.ms ?? (await delayUntil(options.startAt, context)),
    debounce:
      debounce === undefined ? null : { key: textOf("debounce.key", debounce.key), maxMs: debounce.maxMs ?? null },
  };
}

function checkTogether({ name, style }: SagaDefinition, options: StartOptions): void {
  const { delayMs, startAt, debounce, idempotencyKey } = options;
  const times = [delayMs, startAt, debounce].filter((each) => each !== undefined);
  if (times.length > 1)
    throw invalid("expected one of delayMs, startAt and debounce, got more of them; leave out all but one");
  if (debounce !== undefined && idempotencyKey !== undefined)
    throw invalid("expected an idempotency key or a debounce, got both; a debounced start has no run of its own");
  if (style === "choreography" && times.length > 0)
    throw invalid(`expected the choreographed saga "${name}" to begin at once, got a time; its stages begin by events`);
}

function checkWhole(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return;
  throw invalid(`expected ${name} to be a whole number from ${least} to ${most}, got ${JSON.stringify(value)}`);
}

async function delayUntil(startAt: number | undefined, { now }: PlacingContext): Promise<number> {
  if (startAt === undefined) return 0;
  const delayMs = Math.max(0, Math.ceil(startAt - (await now())));
  checkWhole("the time until startAt", delayMs, 0, MAX_DELAY_MS);
  return delayMs;
}

async function keyOf({ name, queue }: SagaDefinition, input: Json, { queueKey }: StartOptions): Promise<string | null> {
  if (queueKey !== undefined) return textOf("queueKey", queueKey);
  if (queue === undefined || queue.key === null) return null;
  let key: unknown;
  try {
    key = await queue.key(input);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(`expected the queue key of "${name}" from its input, got an error: ${why}`);
  }
  return key === undefined || key === null ? null : textOf(`the queue key of "${name}"`, key);
}

function textOf(name: string, value: unknown): string {
  if (typeof value === "string" && value.length >= 1 && value.length <= MAX_KEY_CHARACTERS) return value;
  const got = typeof value === "string" ? `${value.length} characters` : typeof value;
  throw invalid(`expected ${name} to be a text of 1 to ${MAX_KEY_CHARACTERS} characters, got ${got}`);
}

function invalid(message: string): RuntimeError {
  return new RuntimeError("input-invalid", message);
}
