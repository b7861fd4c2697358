import { describe, expect, it } from "vitest";
import { batch } from "../../batch/batch.js";
import type { RecoveryStrategy } from "../plan.js";
import { type Happening, Transcript } from "../transcript.test.support.js";

/** The run of a batch, whose rounds are told of as the ends of children are: as transcripts.test.ts. */
const items = batch("items", { source: { items: [] }, each: () => {} });

const scenarios: Record<string, Happening[]> = {
  "a batch is opened, waited for over a crash, and ends": [
    ["starts", "items", "round-1"],
    ["crash"],
    ["ended", "round-1", "completed"],
  ],
  "a batch that halted is led on in another round": [
    ["starts", "items", "round-1"],
    ["ended", "round-1", "failed"],
    ["verb", "retry"],
    ["starts", "items", "round-2"],
    ["ended", "round-2", "completed"],
  ],
  "a batch is canceled while chunks are under way": [
    ["starts", "items", "round-1"],
    ["verb", "cancel"],
    ["starts", "items", "closing", "compensate"],
    ["crash"],
    ["ended", "closing", "cancelled"],
  ],
  "a batch is closed at once when it is canceled between chunks": [
    ["starts", "items", "round-1"],
    ["verb", "cancel"],
    ["ok", "items", "compensate"],
  ],
  "a batch whose time is up waits for an operator, and goes on": [
    ["starts", "items", "round-1"],
    ["after", 60_000],
    ["verb", "resume"],
    ["ended", "round-1", "completed"],
  ],
  "a batch is not retried from a step": [
    ["starts", "items", "round-1"],
    ["ended", "round-1", "failed"],
    ["verb", "retry", "items"],
  ],
  "a halted batch is abandoned, and ends with its chunks": [
    ["starts", "items", "round-1"],
    ["ended", "round-1", "failed"],
    ["verb", "abandon"],
    ["starts", "items", "closing", "compensate"],
    ["crash"],
    ["ended", "closing", "cancelled"],
  ],
  "a paused batch is abandoned": [
    ["starts", "items", "round-1"],
    ["verb", "pause"],
    ["verb", "abandon"],
    ["ok", "items", "compensate"],
  ],
  "a batch that is being canceled is paused and abandoned, and ends with its chunks": [
    ["starts", "items", "round-1"],
    ["verb", "cancel"],
    ["starts", "items", "closing", "compensate"],
    ["verb", "pause"],
    ["verb", "abandon"],
    ["verb", "pause"],
    ["verb", "abandon"],
    ["ended", "closing", "cancelled"],
  ],
  "a batch that cannot be closed is abandoned twice": [
    ["starts", "items", "round-1"],
    ["ended", "round-1", "failed"],
    ["verb", "abandon"],
    ["bad", "items", "compensate"],
    ["verb", "abandon"],
  ],
};

const withoutRecovery: Record<string, Happening[]> = {
  "recovery off, a batch halts, and fails with its chunks": [
    ["starts", "items", "round-1"],
    ["ended", "round-1", "failed"],
    ["starts", "items", "closing", "compensate"],
    ["ended", "closing", "cancelled"],
  ],
  "recovery off, the time of a batch is up": [
    ["starts", "items", "round-1"],
    ["after", 60_000],
    ["ok", "items", "compensate"],
  ],
};

async function matches(title: string, happenings: Happening[], strategy: RecoveryStrategy): Promise<void> {
  const text = new Transcript(items, strategy).play(happenings);
  await expect(text).toMatchFileSnapshot(`transcripts/${title.replaceAll(/\W+/g, "-")}.txt`);
}

describe("transcripts of the run of a batch", () => {
  it.each(Object.entries(scenarios))("%s", (title, happenings) => matches(title, happenings, "compensate"));

  it.each(Object.entries(withoutRecovery))("%s", (title, happenings) => matches(title, happenings, "none"));
});
