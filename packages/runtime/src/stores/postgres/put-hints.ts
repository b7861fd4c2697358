import type { EventMessage } from "../../broker/event-message.js";
import type { Clock } from "../../ports.js";
import type { Connections } from "./connections.js";
import { EchoedHints } from "./echoed-hints.js";
import { shardsOf } from "./event-rows.js";
import { notify, putHint } from "./listener.js";

/** From a statement to the end of its transaction, mostly within one of these. */
const GUESSED_MS = [3, 15, 75];

/**
 * Tells all instances of events that were put. By a statement of its own: a commit with a notification keeps all others
 * like it waiting until it is on the disk, and this one has nothing to write. One at a time: what comes meanwhile rides in the next.
 */
export class PutHints {
  readonly #connections: Pick<Connections, "reader">;
  readonly #guesses: EchoedHints;
  #shards = new Set<number>();
  #sending = false;

  constructor(connections: Pick<Connections, "reader">, clock: Clock) {
    this.#connections = connections;
    this.#guesses = new EchoedHints(clock, GUESSED_MS, (shards) => this.#tell(shards));
  }

  /** They are committed. Nobody waits for it: whoever misses it finds the events by polling. */
  tell(events: readonly EventMessage[]): void {
    this.#tell(shardsOf(events));
  }

  /** They may be committed soon, by a transaction of which nothing is seen. One that takes longer is found by polling. */
  tellSoon(events: readonly EventMessage[]): void {
    if (events.length > 0) this.#guesses.hear(shardsOf(events));
  }

  stop(): void {
    this.#guesses.stop();
  }

  #tell(shards: readonly number[]): void {
    for (const shard of shards) this.#shards.add(shard);
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
