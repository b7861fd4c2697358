const NONE = 45;
const ZERO = 48;

/**
 * Reads the fields of a record's header one after the other. Every load comes through here, and cutting the header into texts first, to
 * make numbers of them, took three times as long.
 */
export class FieldScan {
  readonly #text: string;
  #at: number;

  /** `at`: where the next field begins. */
  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  text(): string {
    const start = this.#at;
    this.skip();
    return this.#text.slice(start, this.#at - 1);
  }

  /** A whole number of 0 or more: there are no others. */
  number(): number {
    let value = 0;
    for (let code = this.#text.charCodeAt(this.#at); code >= ZERO; code = this.#text.charCodeAt(++this.#at))
      value = value * 10 + code - ZERO;
    this.#at += 1;
    return value;
  }

  /** Null for none (`-`). */
  optionalNumber(): number | null {
    if (this.#text.charCodeAt(this.#at) !== NONE) return this.number();
    this.skip();
    return null;
  }

  skip(fields = 1): void {
    for (let left = fields; left > 0; left -= 1) this.#at = this.#text.indexOf(" ", this.#at) + 1;
  }
}
