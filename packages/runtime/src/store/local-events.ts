import type { EventMessage } from "../broker/event-message.js";
import { EventHints } from "./event-hints.js";
import { EventTurns } from "./event-turns.js";

/** What the stores of one database share within a process. */
export interface SharedEvents {
  readonly turns: EventTurns;
  readonly hints: EventHints;
}

export function createSharedEvents(): SharedEvents {
  return { turns: new EventTurns(), hints: new EventHints() };
}

/** One store's part in that, from its `open` to its `close`. */
export class LocalEvents {
  readonly #listeners: ((shards: readonly number[]) => void)[] = [];
  readonly #turns = new Set<() => void>();
  #shared: SharedEvents | undefined;
  #listenNoMore = (): void => {};

  open(shared: SharedEvents): void {
    this.#shared = shared;
    this.#listenNoMore = shared.hints.listen((shards) => {
      for (const onPut of this.#listeners) onPut(shards);
    });
  }

  /** Whoever waits for the end of what this store has begun goes on. */
  close(): void {
    this.#listenNoMore();
    this.#shared = undefined;
    for (const end of this.#turns) end();
  }

  /** Also before `open`. */
  listen(onPut: (shards: readonly number[]) => void): void {
    this.#listeners.push(onPut);
  }

  /** Those were put, or are once the transaction of this turn of the event loop commits. */
  put(events: readonly EventMessage[]): void {
    this.#shared?.hints.put(events);
  }

  /** Waits until nobody of this process handles the event for the group. Resolves to the end of the turn; twice is once. */
  async takeTurn(group: string, eventId: string): Promise<() => void> {
    const leave = await this.#shared?.turns.take(group, eventId);
    const end = (): void => {
      this.#turns.delete(end);
      leave?.();
    };
    // It may have been closed meanwhile.
    if (this.#shared === undefined) end();
    else this.#turns.add(end);
    return end;
  }
}
