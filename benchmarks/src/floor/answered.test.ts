import { expect, it } from "vitest";
import { Answered } from "./answered.js";

it("wakes who waits at the next answer, and does not make wait who missed it", async () => {
  const answers = new Answered(2);
  const before = answers.count;
  let woken = false;
  const waiting = answers.after(before).then(() => {
    woken = true;
  });
  await Promise.resolve();
  expect(woken).toBe(false);
  answers.got();
  await waiting;
  await answers.after(before);
});

it("lets all go when all wait, or all but those that have nothing more to send", async () => {
  const both = new Answered(2);
  await Promise.all([both.after(0), both.after(0)]);
  const last = new Answered(2);
  const waiting = last.after(0);
  last.leave();
  await waiting;
});
