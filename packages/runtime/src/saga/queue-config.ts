import type { Json } from "../json.js";
import { jsonataExpression } from "./expression.js";
import { type QueueConfig, type QueueDefinition, type QueueOptions, queueOf } from "./queue.js";

/** The queue of a task in the config file; undefined: it says nothing of one. Error: `definition-invalid`. */
export function queueFromConfig(task: string, config: QueueConfig): QueueDefinition | undefined {
  const { queue, priority, concurrency, concurrency_per_key, rate_limit, queue_key } = config;
  const isGiven = [queue, priority, concurrency, concurrency_per_key, rate_limit, queue_key].some(
    (each) => each !== undefined,
  );
  if (!isGiven) return undefined;
  return queueOf(task, {
    ...(queue !== undefined && { name: queue }),
    ...(priority !== undefined && { priority }),
    ...(concurrency !== undefined && { concurrency }),
    ...(concurrency_per_key !== undefined && { concurrencyPerKey: concurrency_per_key }),
    ...(rate_limit !== undefined && { rateLimit: rate_limit }),
    ...(queue_key !== undefined && { key: keyBy(task, queue_key) }),
  });
}

/** Of a definition in code, whose key may be JSONata, too. Error: `definition-invalid`. */
export function declaredQueue(name: string, { key, ...options }: QueueOptions<never>): QueueDefinition {
  if (key === undefined) return queueOf(name, options);
  return queueOf(name, {
    ...options,
    key: typeof key === "string" ? keyBy(name, key) : (key as (input: Json) => unknown),
  });
}

function keyBy(name: string, source: string): (input: Json) => unknown {
  const { evaluate } = jsonataExpression(source, `${name}.queue_key`);
  // It is told no time: the key of a run must not depend on when it is asked for.
  return (input) => evaluate({ input, outputs: {}, context: {}, now: 0 });
}
