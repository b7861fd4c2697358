/**
 * Decides whether what callers were told can be explained by some order of their calls, one at a time, in which each call
 * takes effect between its invocation and its return (Wing and Gong 1993; the memory of tried configurations is Lowe's,
 * 2017). A call whose outcome is unknown may have taken effect at any time after its invocation, or never.
 */
export interface Operation<Call> {
  readonly call: Call;
  /** Places in one order of all invocations and returns. */
  readonly invokedAt: number;
  /** Infinite when the outcome is unknown. */
  readonly returnedAt: number;
  /** As text; null when the outcome is unknown. */
  readonly answer: string | null;
}

/** What one caller alone would see. Pure. A call that changes nothing gives the very state it was given. */
export interface SequentialModel<State, Call> {
  readonly initial: State;
  apply(state: State, call: Call): { readonly state: State; readonly answer: string };
  /** Two states with one key answer alike for ever. */
  key(state: State): string;
}

export type Verdict<State, Call> =
  | { readonly kind: "explained"; readonly order: readonly Operation<Call>[] }
  /** No order exists. `order` is the longest that was found, `next` what may come after it, and what it would have to answer. */
  | {
      readonly kind: "unexplained";
      readonly order: readonly Operation<Call>[];
      readonly state: State;
      readonly next: readonly { readonly operation: Operation<Call>; readonly expected: string }[];
    }
  /** The bound was reached first. */
  | { readonly kind: "undecided" };

/** Configurations tried at most: a history that needs more is too wild to be judged. */
const MAX_TRIED = 300_000;

export function linearize<State, Call>(
  model: SequentialModel<State, Call>,
  operations: readonly Operation<Call>[],
): Verdict<State, Call> {
  return new Search(model, operations).run();
}

class Search<State, Call> {
  readonly #model: SequentialModel<State, Call>;
  /** By invocation. */
  readonly #operations: readonly Operation<Call>[];
  readonly #isDone: boolean[];
  readonly #tried = new Set<string>();
  readonly #order: Operation<Call>[] = [];
  #left: number;
  #longest: { readonly order: readonly Operation<Call>[]; readonly state: State };

  constructor(model: SequentialModel<State, Call>, operations: readonly Operation<Call>[]) {
    this.#model = model;
    this.#operations = [...operations].sort((a, b) => a.invokedAt - b.invokedAt);
    this.#isDone = this.#operations.map(() => false);
    this.#left = operations.filter(({ answer }) => answer !== null).length;
    this.#longest = { order: [], state: model.initial };
  }

  run(): Verdict<State, Call> {
    const found = this.#explore(this.#model.initial);
    if (found) return { kind: "explained", order: [...this.#order] };
    if (this.#tried.size >= MAX_TRIED) return { kind: "undecided" };
    const { order, state } = this.#longest;
    const placed = new Set(order);
    const next = this.#open((at) => placed.has(this.#operations[at] as Operation<Call>)).map((at) => {
      const operation = this.#operations[at] as Operation<Call>;
      return { operation, expected: this.#model.apply(state, operation.call).answer };
    });
    return { kind: "unexplained", order, state, next };
  }

  #explore(state: State): boolean {
    if (this.#left === 0) return true;
    const key = `${this.#isDone.map(Number).join("")} ${this.#model.key(state)}`;
    if (this.#tried.has(key) || this.#tried.size >= MAX_TRIED) return false;
    this.#tried.add(key);
    if (this.#order.length > this.#longest.order.length) this.#longest = { order: [...this.#order], state };
    const changing: { readonly at: number; readonly state: State }[] = [];
    for (const at of this.#open((place) => this.#isDone[place] === true)) {
      const { call, answer } = this.#operations[at] as Operation<Call>;
      const applied = this.#model.apply(state, call);
      const changes = applied.state !== state;
      if (answer === null ? !changes : answer !== applied.answer) continue;
      // What changes nothing and fits here may as well be here: wherever else it fits, the others do not miss it.
      if (!changes) return this.#place(at, state);
      changing.push({ at, state: applied.state });
    }
    return changing.some(({ at, state: after }) => this.#place(at, after));
  }

  #place(at: number, after: State): boolean {
    const operation = this.#operations[at] as Operation<Call>;
    const counts = operation.answer === null ? 0 : 1;
    this.#isDone[at] = true;
    this.#left -= counts;
    this.#order.push(operation);
    if (this.#explore(after)) return true;
    this.#order.pop();
    this.#left += counts;
    this.#isDone[at] = false;
    return false;
  }

  /** What may be next: invoked before the first return of those that are left. */
  #open(isDone: (at: number) => boolean): number[] {
    let firstReturn = Number.POSITIVE_INFINITY;
    for (const [at, { returnedAt }] of this.#operations.entries())
      if (!isDone(at)) firstReturn = Math.min(firstReturn, returnedAt);
    const open: number[] = [];
    for (const [at, { invokedAt }] of this.#operations.entries()) {
      if (invokedAt > firstReturn) break;
      if (!isDone(at)) open.push(at);
    }
    return open;
  }
}
