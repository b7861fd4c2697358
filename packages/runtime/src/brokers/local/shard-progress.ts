/** How far a group has come in a shard whose events end in any order. */
export class ShardProgress {
  /** In the order of the log; the first one is not done. */
  readonly #open: { readonly position: string; readonly bytes: number; done: boolean }[] = [];
  #bytes = 0;
  #position: string | null;

  constructor(position: string | null) {
    this.#position = position;
  }

  /** Everything up to here is done. */
  get position(): string | null {
    return this.#position;
  }

  /** Read and not behind the position yet. */
  get open(): number {
    return this.#open.length;
  }

  /** Of texts that are held for those that are not done. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Gives what is to be called when it is done. */
  add(position: string, bytes: number): () => void {
    const entry = { position, bytes, done: false };
    this.#open.push(entry);
    this.#bytes += bytes;
    return () => {
      if (entry.done) return;
      entry.done = true;
      this.#bytes -= bytes;
      const first = this.#open.findIndex(({ done }) => !done);
      const finished = this.#open.splice(0, first === -1 ? this.#open.length : first);
      this.#position = finished.at(-1)?.position ?? this.#position;
    };
  }
}
