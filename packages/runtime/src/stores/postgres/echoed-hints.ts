import type { Clock } from "../../ports.js";

/**
 * Hints of events that were put, each told at once and twice more: what is committed is readable only when the transactions that are older
 * have ended, too. As a rule these end within milliseconds; for what takes longer there is polling.
 */
export class EchoedHints {
  readonly #clock: Clock;
  readonly #tell: (shards: readonly number[]) => void;
  readonly #echoes = ECHOES_MS.map((delayMs) => ({ delayMs, shards: new Set<number>(), cancel: () => {} }));

  constructor(clock: Clock, tell: (shards: readonly number[]) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  hear(shards: readonly number[]): void {
    this.#tell(shards);
    for (const echo of this.#echoes) {
      if (echo.shards.size === 0)
        echo.cancel = this.#clock.after(echo.delayMs, () => {
          const heard = [...echo.shards];
          echo.shards.clear();
          this.#tell(heard);
        });
      for (const shard of shards) echo.shards.add(shard);
    }
  }

  stop(): void {
    for (const { cancel } of this.#echoes) cancel();
  }
}

const ECHOES_MS = [20, 200];
