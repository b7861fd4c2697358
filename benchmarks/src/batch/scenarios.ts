/**
 * What is measured. `items`: so many items of work that does nothing, from the first call until the last one's effect and what
 * keeps the place are durable, as far as the contender keeps any. `sleepers`: workflows that sleep for thirty days, and those that wake.
 */
export type BatchScenario =
  | {
      readonly kind: "items";
      readonly name: "items";
      readonly title: string;
      /** Of a contender that needs a write for each item a part is enough to know its speed. */
      readonly items: Readonly<Record<"all" | "part", number>>;
    }
  | {
      readonly kind: "sleepers";
      readonly name: "sleepers";
      readonly title: string;
      /** Runs that sleep for thirty days while the others are measured. */
      readonly asleep: number;
      /** Runs whose sleep ends at one instant. */
      readonly waking: number;
      /** Runs of one step, one after the other, before and after there are sleepers. */
      readonly starts: number;
    };

/** Items of a chunk, and of a job of the contender that has several in one. */
export const CHUNK = 100;
/** Chunks, or jobs, at once, of every contender. */
export const AT_ONCE = 100;

export const SCENARIOS: readonly BatchScenario[] = [
  {
    ...{ kind: "items", name: "items", title: `items of work that does nothing, ${CHUNK} to a chunk` },
    items: { all: 1_000_000, part: 100_000 },
  },
  {
    ...{ kind: "sleepers", name: "sleepers", title: "100,000 workflows asleep, and 10,000 that wake at one instant" },
    ...{ asleep: 100_000, waking: 10_000, starts: 1_000 },
  },
];
