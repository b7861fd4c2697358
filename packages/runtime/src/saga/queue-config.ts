import { type QueueConfig, type QueueDefinition, queueOf } from "./queue.js";

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
    ...(queue_key !== undefined && { key: queue_key }),
  });
}
