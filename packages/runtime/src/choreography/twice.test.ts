import { expect, it } from "vitest";
import { Twice } from "./twice.js";

it("does an event that comes twice once, whichever way is first", async () => {
  const twice = new Twice();
  const done: string[] = [];
  await twice.once("a", async () => void done.push("at once"));
  await twice.once("a", async () => void done.push("as it comes"));
  expect(done).toEqual(["at once"]);
});

it("lets the second wait for the first, and do it when that one failed", async () => {
  const twice = new Twice();
  const done: string[] = [];
  let fail: (error: Error) => void = () => {};
  const never = new Promise<void>((_, reject) => {
    fail = reject;
  });
  const first = twice.once("a", () => never);
  const second = twice.once("a", async () => void done.push("second"));
  expect(done).toEqual([]);
  fail(new Error("no answer"));
  await expect(first).rejects.toThrow("no answer");
  await second;
  expect(done).toEqual(["second"]);
});

it("forgets the oldest of very many, which are done again", async () => {
  const twice = new Twice();
  let done = 0;
  const count = async (): Promise<void> => {
    done += 1;
  };
  for (let n = 0; n <= 20_000; n += 1) await twice.once(`event ${n}`, count);
  await twice.once("event 0", count);
  await twice.once("event 20000", count);
  expect(done).toBe(20_002);
});
