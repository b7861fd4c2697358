/** What handlers and stages do, counted act by act: each effect of each act has to happen once. At most 30 effects an act. */
export class Effects {
  /** How many effects an act has, numbered from 1. */
  readonly #each: number;
  /** A bit per effect of each act. */
  readonly #seen: number[] = [];
  #checked = 0;
  #repeated = 0;

  constructor(each: number) {
    this.#each = each;
  }

  /** A new act; its number. */
  begin(): number {
    return this.#seen.push(0) - 1;
  }

  /** All acts so far. */
  get begun(): number {
    return this.#seen.length;
  }

  done(act: number, effect = 1): void {
    const seen = this.#seen[act];
    if (seen === undefined || effect < 1 || effect > this.#each)
      throw new Error(`expected an effect of an act that was begun, got effect ${effect} of act ${act}`);
    const bit = 1 << effect;
    if ((seen & bit) !== 0) this.#repeated += 1;
    this.#seen[act] = seen | bit;
  }

  /** Of the acts since the last check, all of which have ended. Throws unless each effect of each of them happened once. */
  check(): void {
    const all = (1 << (this.#each + 1)) - 2;
    const acts = this.#seen.slice(this.#checked);
    const lacking = acts.filter((seen) => seen !== all).length;
    const repeated = this.#repeated;
    this.#checked = this.#seen.length;
    this.#repeated = 0;
    if (lacking === 0 && repeated === 0) return;
    const got = `${lacking} acts without all of them and ${repeated} effects again`;
    throw new Error(`expected each of ${this.#each} effects of ${acts.length} acts once, got ${got}`);
  }
}
