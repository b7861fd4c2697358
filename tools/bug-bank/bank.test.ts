import { expect, it, vi } from "vitest";
import { main } from "./bank.js";
import type { Mutant } from "./mutant.js";

const unbounded: Mutant = {
  name: "a piece without bound",
  files: ["packages/runtime/src/stores/postgres/in-pieces.ts"],
  find: "characters > room",
  replace: "false",
  tests: ["packages/runtime/src/stores/postgres/in-pieces.test.ts"],
};

it.each([
  ["kills what a test notices, names the test, and counts it", unbounded, 0, /^killed .* s {2}a piece.*in-pieces/, 1],
  ["tells of what no test notices", { ...unbounded, replace: "room < characters" }, 1, /^SURVIVED .* s {2}a piece/, 0],
])("%s", async (_, mutant, exitCode, line, killed) => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    expect(await main(["--only", mutant.name], [mutant])).toBe(exitCode);
    const lines = log.mock.calls.map(([text]) => String(text));
    expect(lines).toEqual([expect.stringMatching(line), `\nbug bank: ${killed} of 1 killed`]);
  } finally {
    log.mockRestore();
  }
});

it("runs nothing when a bug no longer fits the source, and names it", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  try {
    expect(await main([], [{ ...unbounded, find: "no such text" }])).toBe(2);
    expect(error.mock.calls).toEqual([[expect.stringContaining(`"${unbounded.name}": expected`)]]);
  } finally {
    error.mockRestore();
  }
});
