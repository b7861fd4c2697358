import { describe, expect, it } from "vitest";
import { readOptions } from "./options.js";
import { SAGA_SUITE } from "./sagas/suite.js";

describe("the options", () => {
  it("name the contender that does not exist, and those that do", () => {
    expect(() => readOptions(SAGA_SUITE, ["--only", "dbos,temporal"])).toThrow(
      /expected --only .*dbos.*got temporal\nusage:/s,
    );
  });

  it.each(["0", "1.5", "many"])("refuse %s rounds", (rounds) => {
    expect(() => readOptions(SAGA_SUITE, ["--rounds", rounds])).toThrow(
      `expected --rounds to be a whole number from 1 on, got ${rounds}`,
    );
  });

  it("are five rounds of everything unless they say otherwise", () => {
    const { rounds, contenders, scenarios } = readOptions(SAGA_SUITE, []);
    expect([rounds, contenders.length, scenarios.length]).toEqual([5, 11, 10]);
  });

  it("choose contenders and scenarios by name", () => {
    const { contenders, scenarios } = readOptions(SAGA_SUITE, ["--only", "bullmq,dbos", "--scenarios", "undo"]);
    expect(contenders.map(({ name }) => name)).toEqual(["dbos", "bullmq"]);
    expect(scenarios.map(({ name }) => name)).toEqual(["undo"]);
  });
});
