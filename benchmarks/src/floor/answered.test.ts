import { expect, it } from "vitest";
import { Answered } from "./answered.js";

it("lets go once the answers are there that a statement was sent after, on whatever connections", async () => {
  const answers = new Answered([0, 3, 0]);
  let sent = false;
  const waiting = answers.until([1, 4]).then(() => {
    sent = true;
  });
  answers.got(1);
  await Promise.resolve();
  expect(sent).toBe(false);
  answers.got(0);
  await waiting;
  await answers.until([0, 2, 0]);
});

it("lets the last one go when all wait, or all but those that have nothing more to send", async () => {
  const both = new Answered([0, 0]);
  const first = both.until([0, 1]);
  await both.until([1, 0]);
  both.got(1);
  await first;
  const last = new Answered([0, 0]);
  last.leave();
  await last.until([0, 1]);
});
