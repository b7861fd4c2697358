import type { BatchScenario } from "./scenarios.js";

export type ContenderName = "clean-arch-batch" | "bullmq-chunked" | "bullmq-single" | "clean-arch-sleepers";

/** Who takes part, with what, and what is durable when an item is done. The settings and their reasons stand in each program. */
export interface BatchContender {
  readonly name: ContenderName;
  readonly title: string;
  /** Compiled program relative to `dist/`, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly durability: string;
  readonly takes: (scenario: BatchScenario) => boolean;
}

const POSTGRES = "PostgreSQL, fsync and synchronous_commit on";
const NOTHING = "nothing: a Redis that persists nothing";
const items = { takes: ({ kind }: BatchScenario) => kind === "items" };
const bullmq = { ...items, program: "peers/bullmq-batch.js", durability: NOTHING };

export const CONTENDERS: readonly BatchContender[] = [
  {
    ...{ ...items, name: "clean-arch-batch", title: "clean-arch, batch" },
    ...{ program: "ours/batch-items.js", args: [], durability: `${POSTGRES}; the place is committed with each chunk` },
  },
  { ...{ ...bullmq, name: "bullmq-chunked", title: "BullMQ, a job for each 100 items" }, args: ["chunked"] },
  { ...{ ...bullmq, name: "bullmq-single", title: "BullMQ, a job for each item" }, args: ["single"] },
  {
    ...{ name: "clean-arch-sleepers", title: "clean-arch, workflows that sleep", durability: POSTGRES },
    ...{ program: "ours/batch-sleepers.js", args: [], takes: ({ kind }: BatchScenario) => kind === "sleepers" },
  },
];
