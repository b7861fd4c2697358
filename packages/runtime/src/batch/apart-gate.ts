/**
 * Keeps chunks whose owners died apart from all others of this process: whichever item kills it next is known then. Those that wait to be
 * alone go first.
 */
export class ApartGate {
  readonly #most: number;
  #underWay = 0;
  #isApart = false;
  readonly #waiting: (() => void)[] = [];
  /** Told when others may begin again. */
  readonly #onOpen: () => void;

  /** `most`: chunks at once, of all batches. */
  constructor(most: number, onOpen: () => void) {
    this.#most = most;
    this.#onOpen = onOpen;
  }

  /** Chunks that may begin now. */
  get room(): number {
    return this.#isApart || this.#waiting.length > 0 ? 0 : Math.max(0, this.#most - this.#underWay);
  }

  /** Also beyond `room`: what the store gave is worked. Null: at once. */
  enter(isApart: boolean): Promise<void> | null {
    if (!isApart && !this.#isApart && this.#waiting.length === 0) {
      this.#underWay += 1;
      return null;
    }
    if (isApart && !this.#isApart && this.#underWay === 0) {
      this.#isApart = true;
      this.#underWay = 1;
      return null;
    }
    return new Promise((resolve) => {
      const admit = (): void => {
        this.#isApart = isApart;
        this.#underWay += 1;
        resolve();
      };
      if (isApart) this.#waiting.unshift(admit);
      else this.#waiting.push(admit);
    });
  }

  leave(): void {
    this.#underWay -= 1;
    if (this.#underWay > 0) return;
    this.#isApart = false;
    // One after the other: who is not to be alone loses little by it.
    this.#waiting.shift()?.();
    if (this.#waiting.length === 0 && !this.#isApart) this.#onOpen();
  }
}
