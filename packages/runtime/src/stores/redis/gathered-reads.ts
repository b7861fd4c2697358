import type { Clock } from "../../ports.js";

type Values = readonly (string | null)[];

/** Gives the values of these keys, in their order. */
type Mget = (keys: readonly string[]) => Promise<Values>;

interface Batch {
  readonly keys: string[];
  readonly values: Promise<Values>;
  readonly settle: (values: Promise<Values>) => void;
}

/**
 * Of one command. It leaves when it has so many, though the turn goes on: Redis reads the first keys while this process asks for the
 * next ones. Measured with 64 sessions read at once: 32 to 64 are about equal, with fewer the commands cost more, at 128 each waits for the other.
 */
const MAX_KEYS = 48;

/**
 * Reads that are asked for in one turn of the event loop leave together: a command each costs the driver, and Redis, more
 * than what is read. For a single Redis; the keys of a cluster lie on different servers.
 */
export class GatheredReads {
  readonly #mget: Mget;
  readonly #clock: Pick<Clock, "soon">;
  #batch: Batch | undefined;

  constructor(mget: Mget, clock: Pick<Clock, "soon">) {
    this.#mget = mget;
    this.#clock = clock;
  }

  /** Their values as of one moment. Rejects as the command does. */
  async read(keys: readonly string[]): Promise<Values> {
    const batch = this.#open();
    const at = batch.keys.length;
    batch.keys.push(...keys);
    if (batch.keys.length >= MAX_KEYS) this.#send(batch);
    const values = await batch.values;
    return values.slice(at, at + keys.length);
  }

  #open(): Batch {
    if (this.#batch !== undefined) return this.#batch;
    let settle: Batch["settle"] = () => undefined;
    const values = new Promise<Values>((resolve) => {
      settle = resolve;
    });
    const batch = { keys: [], values, settle };
    this.#batch = batch;
    this.#clock.soon(() => {
      if (this.#batch === batch) this.#send(batch);
    });
    return batch;
  }

  #send(batch: Batch): void {
    this.#batch = undefined;
    batch.settle(this.#mget(batch.keys));
  }
}
