import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ReplyDelay } from "./reply-delay.js";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

it("holds back for its time, in the order of arrival, whoever looks meanwhile", () => {
  const delay = new ReplyDelay();
  const passed: string[] = [];
  delay.set(20);
  delay.hold(() => passed.push("first"));
  vi.advanceTimersByTime(15);
  delay.hold(() => passed.push("second"));
  delay.look();
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(5);
  expect(passed).toEqual(["first"]);
  vi.advanceTimersByTime(15);
  expect(passed).toEqual(["first", "second"]);
});

it("lets nothing overtake what is held back when there is no delay any more", () => {
  const delay = new ReplyDelay();
  const passed: string[] = [];
  delay.set(20);
  delay.hold(() => passed.push("first"));
  delay.set(0);
  delay.hold(() => passed.push("second"));
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(20);
  expect(passed).toEqual(["first", "second"]);
  delay.hold(() => passed.push("third"));
  expect(passed).toHaveLength(3);
});
