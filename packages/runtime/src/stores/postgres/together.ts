interface Asked<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls that come while one is under way go together in the next. They fail together, too. */
export class Together<Item, Result> {
  readonly #send: (items: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: Asked<Item, Result>[] = [];
  #isSending = false;

  /** `send`: one result each, in order. */
  constructor(send: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#send = send;
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
      await this.#send(asked.map(({ item }) => item)).then(
        (results) => {
          for (const [index, { resolve }] of asked.entries()) resolve(results[index] as Result);
        },
        (error: unknown) => {
          for (const { reject } of asked) reject(error);
        },
      );
    }
    this.#isSending = false;
  }
}
