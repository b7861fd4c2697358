import { describe, expect, test } from "vitest";

import { fixtureTemplate, modelOf } from "./fixture.test.support.js";
import { buildPlan } from "./plan.js";
import type { TargetFile } from "./targets/index.js";

describe("the plan", () => {
  const file = (path: string): TargetFile => ({ path, owner: "generated", content: "" });
  const plan = (...paths: string[]) => buildPlan(modelOf("session: {}"), fixtureTemplate, () => paths.map(file));

  test("is sorted by path", () => {
    expect(plan("b", "a/c", "a/b").files.map(({ path }) => path)).toEqual(["a/b", "a/c", "b"]);
  });

  test.each([
    [["a", "a"], /two targets write one file/],
    [["src/A.ts", "src/a.ts"], /two targets write one file/],
    [["../a"], /where none may/],
    [["/a"], /where none may/],
    [[".clean-arch/lock.json"], /where none may/],
    [[".clean-arch/base/a"], /where none may/],
  ])("refuses %j", (paths, message) => {
    expect(() => plan(...paths)).toThrow(message);
  });
});
