import type { Message } from "../engine/messages.js";

interface Heard {
  readonly message: Message;
  readonly settle: (isWritten: boolean) => void;
}

/**
 * Messages that a run was told in passing, within its process: they are in no inbox, and whoever told them does so again by that way unless
 * they are in the run's journal.
 */
export class HeardMessages {
  #waiting: Heard[] = [];
  /** In a row that is on its way, or about to be. */
  #taken: Heard[] = [];

  /** That nobody has taken yet. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Resolves to whether the journal has it, or it adds nothing to what the journal has. */
  add(message: Message): Promise<boolean> {
    return new Promise((settle) => void this.#waiting.push({ message, settle }));
  }

  take(): readonly Message[] {
    if (this.#waiting.length === 0) return NONE;
    const heard = this.#waiting;
    this.#waiting = [];
    this.#taken = [...this.#taken, ...heard];
    return heard.map(({ message }) => message);
  }

  /** All that were taken are in the journal. */
  written(): void {
    for (const { settle } of this.#taken) settle(true);
    this.#taken = [];
  }

  /** The run is somebody else's from here on. */
  leave(): void {
    for (const { settle } of [...this.#taken, ...this.#waiting]) settle(false);
    this.#taken = [];
    this.#waiting = [];
  }
}

const NONE: readonly Message[] = [];
