interface Asked<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Calls that come while one is under way go together in the next. They fail together, too, unless it may have been for one of them alone
 * (`isOfOne`): then each is sent again by itself, and the others do not wait for that.
 */
export class Together<Item, Result> {
  readonly #send: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #isOfOne: (error: unknown) => boolean;
  #waiting: Asked<Item, Result>[] = [];
  #isSending = false;

  /** `send`: one result each, in order. */
  constructor(
    send: (items: readonly Item[]) => Promise<readonly Result[]>,
    isOfOne: (error: unknown) => boolean = () => false,
  ) {
    this.#send = send;
    this.#isOfOne = isOfOne;
  }

  ask(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isSending) void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting;
      this.#waiting = [];
      await this.#sendThese(asked);
    }
    this.#isSending = false;
  }

  async #sendThese(asked: readonly Asked<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#send(asked.map(({ item }) => item));
      for (const [index, { resolve }] of asked.entries()) resolve(results[index] as Result);
    } catch (error) {
      if (asked.length > 1 && this.#isOfOne(error)) for (const one of asked) void this.#sendThese([one]);
      else for (const { reject } of asked) reject(error);
    }
  }
}
