/** An event that was read and is not behind the position yet. */
export interface OpenEvent {
  readonly position: string;
  /** How often it was given out. */
  tries: number;
  /** Of the text that is held for it. */
  readonly bytes: number;
  done: boolean;
}

/** How far a group has come in a shard whose events end in any order. */
export class ShardProgress {
  /** In the order of the log; the first one is not done. */
  readonly #open: OpenEvent[] = [];
  #bytes = 0;
  #position: string | null;

  constructor(position: string | null) {
    this.#position = position;
  }

  /** Everything up to here is done. */
  get position(): string | null {
    return this.#position;
  }

  get open(): readonly OpenEvent[] {
    return this.#open;
  }

  /** Of texts that are held for those that are not done. */
  get bytes(): number {
    return this.#bytes;
  }

  add(position: string, bytes: number, tries: number): OpenEvent {
    const event = { position, bytes, tries, done: false };
    this.#open.push(event);
    this.#bytes += bytes;
    return event;
  }

  done(event: OpenEvent): void {
    event.done = true;
    this.#bytes -= event.bytes;
    const first = this.#open.findIndex(({ done }) => !done);
    const finished = this.#open.splice(0, first === -1 ? this.#open.length : first);
    this.#position = finished.at(-1)?.position ?? this.#position;
  }
}
