import type { EventMessage } from "../../broker/event-message.js";
import type { Connections } from "./connections.js";
import { shardsOf } from "./event-rows.js";
import { notify, putHint } from "./listener.js";

/**
 * Tells all instances of events that were put and are committed. By a statement of its own: a commit with a notification keeps all others
 * like it waiting until it is on the disk, and this one has nothing to write. One at a time: what comes meanwhile rides in the next.
 */
export class PutHints {
  readonly #connections: Pick<Connections, "reader">;
  #shards = new Set<number>();
  #sending = false;

  constructor(connections: Pick<Connections, "reader">) {
    this.#connections = connections;
  }

  /** Nobody waits for it: whoever misses it finds the events by polling. */
  tell(events: readonly EventMessage[]): void {
    for (const shard of shardsOf(events)) this.#shards.add(shard);
    if (!this.#sending && this.#shards.size > 0) void this.#send();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#shards.size > 0) {
      const hint = putHint([...this.#shards]);
      this.#shards = new Set();
      // Not by the writers, whose connections a lease's renewal may need.
      await notify(this.#connections.reader, [hint]).catch(() => {});
    }
    this.#sending = false;
  }
}
