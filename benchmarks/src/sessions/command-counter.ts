/**
 * Counts the commands that a client sends to Redis, by name, from the bytes of its connection: arrays of bulk strings, in pieces as the
 * network cuts them. What a script calls inside is not sent and so not counted.
 */
export class CommandCounter {
  readonly #counted: (name: string) => void;
  /** A line that is not complete. */
  #line = "";
  /** Bulk strings of the current command that are still to come. */
  #left = 0;
  /** Bytes of the current bulk string still to come, with the end of its line; 0: a line comes. */
  #bulk = 0;
  /** The command's name as far as it is there; null: it is known already. */
  #name: string | null = null;

  constructor(counted: (name: string) => void) {
    this.#counted = counted;
  }

  take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bulk > 0) {
        const taken = Math.min(this.#bulk, chunk.length - at);
        this.#takeBulk(chunk, at, taken);
        at += taken;
      } else {
        const end = chunk.indexOf("\n", at);
        this.#line += chunk.toString("latin1", at, end < 0 ? chunk.length : end + 1);
        at = end < 0 ? chunk.length : end + 1;
        if (end >= 0) this.#takeLine();
      }
    }
  }

  #takeBulk(chunk: Buffer, at: number, taken: number): void {
    if (this.#name !== null) this.#name += chunk.toString("latin1", at, at + taken);
    this.#bulk -= taken;
    if (this.#bulk > 0) return;
    this.#left -= 1;
    if (this.#name === null) return;
    this.#counted(this.#name.trim().toUpperCase());
    this.#name = null;
  }

  #takeLine(): void {
    const line = this.#line.trim();
    this.#line = "";
    const size = Number(line.slice(1));
    if (line.startsWith("*") && this.#left === 0) {
      this.#left = size;
      this.#name = "";
    } else if (line.startsWith("$") && this.#left > 0) this.#bulk = size + 2;
    else throw new Error(`expected a command as an array of bulk strings, got ${line}`);
  }
}
