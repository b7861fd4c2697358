import type { Clock } from "../../ports.js";

/** Tells of each hint some times, each time after a delay; hints that come before the first of them is told again go with it. */
export class EchoedHints {
  readonly #tell: (shards: readonly number[]) => void;
  readonly #clock: Clock;
  readonly #echoes: readonly Echo[];

  /** `delaysMs`: 0 is at once. */
  constructor(clock: Clock, delaysMs: readonly number[], tell: (shards: readonly number[]) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#echoes = delaysMs.map((delayMs) => ({ delayMs, shards: new Set(), cancel: () => {} }));
  }

  hear(shards: readonly number[]): void {
    for (const echo of this.#echoes) {
      if (echo.delayMs === 0) {
        this.#tell(shards);
        continue;
      }
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

interface Echo {
  readonly delayMs: number;
  readonly shards: Set<number>;
  cancel(): void;
}
