/**
 * Those of one key one after the other, in the order in which they were added; those of different keys at the same time, at most
 * `concurrency`. What waits is the caller's to bound.
 */
export class Lanes<Item> {
  readonly #concurrency: number;
  readonly #run: (item: Item) => Promise<void>;
  readonly #waiting = new Map<string, Item[]>();
  readonly #busy = new Set<string>();
  /** Keys with waiting items and none that runs, the longest ready first. */
  readonly #ready = new Set<string>();
  readonly #idle: (() => void)[] = [];

  /** `run` never rejects. */
  constructor(concurrency: number, run: (item: Item) => Promise<void>) {
    this.#concurrency = concurrency;
    this.#run = run;
  }

  get hasRoom(): boolean {
    return this.#busy.size < this.#concurrency;
  }

  add(key: string, item: Item): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, [item]);
    else waiting.push(item);
    if (!this.#busy.has(key)) this.#ready.add(key);
    this.#start();
  }

  /** Takes those that are not running out. */
  drop(isDropped: (item: Item) => boolean): void {
    for (const [key, items] of this.#waiting) {
      const kept = items.filter((item) => !isDropped(item));
      if (kept.length > 0) this.#waiting.set(key, kept);
      else {
        this.#waiting.delete(key);
        this.#ready.delete(key);
      }
    }
  }

  /** Resolves when nothing runs. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#busy.size === 0) resolve();
      else this.#idle.push(resolve);
    });
  }

  #start(): void {
    for (const key of this.#ready) {
      if (!this.hasRoom) return;
      this.#ready.delete(key);
      const items = this.#waiting.get(key) ?? [];
      const item = items.shift();
      if (items.length === 0) this.#waiting.delete(key);
      if (item === undefined) continue;
      this.#busy.add(key);
      void this.#run(item).finally(() => this.#end(key));
    }
  }

  #end(key: string): void {
    this.#busy.delete(key);
    if (this.#waiting.has(key)) this.#ready.add(key);
    this.#start();
    if (this.#busy.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
