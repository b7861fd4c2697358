import type { EventMessage } from "../broker/event-message.js";
import { shardOf } from "./event-shard.js";

type OnPut = (shards: readonly number[]) => void;

/** Tells those who listen in this process which shards have new events: once for all that one turn of the event loop puts, after it. */
export class EventHints {
  readonly #listeners = new Set<OnPut>();
  readonly #shards = new Set<number>();

  /** Returns how to listen no more. */
  listen(onPut: OnPut): () => void {
    this.#listeners.add(onPut);
    return () => void this.#listeners.delete(onPut);
  }

  put(events: readonly EventMessage[]): void {
    if (this.#listeners.size === 0 || events.length === 0) return;
    // Behind the end of a transaction that lasts for this turn only.
    if (this.#shards.size === 0) void Promise.resolve().then(() => this.#tell());
    for (const { key } of events) this.#shards.add(shardOf(key));
  }

  #tell(): void {
    const shards = [...this.#shards];
    this.#shards.clear();
    for (const onPut of this.#listeners) onPut(shards);
  }
}
