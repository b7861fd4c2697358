import { expect, it } from "vitest";
import { keyIn, newEvent } from "../../testing/event-store/harness.js";
import { createManualClock } from "../../testing/manual-clock.js";
import type { Row } from "./connections.js";
import { PutHints } from "./put-hints.js";

/** A server that answers when it is told to. */
function server() {
  const sent: unknown[] = [];
  let answer: () => Promise<Row[]> = async () => [];
  const query = (_sql: string, values: readonly unknown[] = []): Promise<Row[]> => {
    sent.push(values[1]);
    return answer();
  };
  const clock = createManualClock();
  const hints = new PutHints({ reader: { schema: "s", query, run: query } }, clock);
  return {
    ...{ sent, hints, clock },
    answerBy: (next: () => Promise<Row[]>) => {
      answer = next;
    },
  };
}

const inShard = (shard: number) => [newEvent(1, { key: keyIn(shard) })];

it("sends one at a time, and what comes meanwhile in the next", async () => {
  const { sent, hints, answerBy } = server();
  let answered: (rows: Row[]) => void = () => {};
  const first = new Promise<Row[]>((resolve) => {
    answered = resolve;
  });
  answerBy(() => first);
  for (const shard of [3, 1, 2, 1, 2]) hints.tell(inShard(shard));
  expect(sent).toEqual(["put 3"]);
  answered([]);
  await expect.poll(() => sent).toEqual(["put 3", "put 1,2"]);
});

it("goes on after one that was not taken, and sends nothing for nothing", async () => {
  const { sent, hints, answerBy } = server();
  hints.tell([]);
  answerBy(() => Promise.reject(new Error("no answer")));
  hints.tell(inShard(4));
  hints.tell(inShard(5));
  await expect.poll(() => sent).toEqual(["put 4", "put 5"]);
});

it("tells of what a transaction that is not seen may commit a few times, soon, and of many such together", async () => {
  const { sent, hints, clock } = server();
  for (const shard of [1, 2, 1]) hints.tellSoon(inShard(shard));
  expect(sent).toEqual([]);
  for (let told = 1; clock.advanceToNext(); told++) await expect.poll(() => sent.length).toBe(told);
  expect(sent).toEqual(["put 1,2", "put 1,2", "put 1,2"]);
  expect(clock.monotonic()).toBeLessThan(100);
});

it("guesses no more once it is stopped", () => {
  const { sent, hints, clock } = server();
  hints.tellSoon(inShard(1));
  hints.stop();
  expect(clock.pending).toBe(0);
  expect(sent).toEqual([]);
});
