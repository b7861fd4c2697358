/** What a function task does, as its participants must see it. */
export interface FunctionShape {
  readonly name: string;
  /** Its checkpoints in order, those of a group at once. */
  readonly places: readonly (readonly string[])[];
  /** It sleeps before that group, counted from 0. */
  readonly sleepsBefore: number;
  readonly sleepMs: number;
}

/** stock-taking.ts, read from the text alone. */
export const STOCK_TAKING: FunctionShape = {
  name: "stock_taking",
  places: [["count"], ["sort-1", "sort-2", "sort-3"], ["report"]],
  sleepsBefore: 1,
  sleepMs: 6_000,
};
