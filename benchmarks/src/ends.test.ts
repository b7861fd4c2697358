import { expect, it } from "vitest";
import { Ends } from "./ends.js";

it("tells a waiter of an end that came before it waited, and of one that comes after", async () => {
  const ends = new Ends();
  ends.ended("early", null);
  await ends.of("early");
  const late = ends.of("late");
  ends.ended("late", null);
  await late;
});

it("rejects with the failure of its own run only", async () => {
  const ends = new Ends();
  const [good, bad] = [ends.of("good"), ends.of("bad")];
  ends.ended("bad", new Error("refused"));
  ends.ended("good", null);
  await expect(bad).rejects.toThrow("refused");
  await good;
});
