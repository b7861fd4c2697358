import { expect, it } from "vitest";
import { changedNote, loginData } from "./routes.js";
import { sessionData } from "./session-data.js";

it.each([
  ["300", 300],
  ["2k", 2_048],
  ["16k", 16_384],
] as const)("has 20 fields and the size of its name: %s", (size, bytes) => {
  const data = sessionData(size, 17);
  expect([JSON.stringify(data).length, Object.keys(data).length, data.user]).toEqual([bytes, 20, "user-00017"]);
});

it("stays as long when a write changes a field", () => {
  const data = sessionData("2k", 17);
  const note = changedNote(data.note, { digits: "00000042" });
  expect([note.length, note.startsWith("00000042.")]).toEqual([data.note.length, true]);
});

it("refuses a login of a size that no scenario has", () => {
  expect(() => loginData({ size: "4k", n: "1" })).toThrow("expected a size of the scenarios, got 4k");
});
