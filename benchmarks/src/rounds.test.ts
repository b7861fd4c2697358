import { expect, it } from "vitest";
import { inRounds } from "./rounds.js";

interface Scenario {
  readonly name: string;
}
const contender = (name: string, takes: (scenario: Scenario) => boolean = () => true) => ({ name, takes });
const scenarios = [{ name: "first" }, { name: "second" }];
const quiet = { scenarios, inShort: String, say: () => undefined, stopping: new AbortController().signal };

it("begins each round with another contender, and keeps their order in the outcome", async () => {
  const turns: string[] = [];
  const { measurements, failures } = await inRounds<{ name: string }, Scenario, number>({
    ...{ ...quiet, contenders: [contender("a"), contender("b", ({ name }) => name === "second")], rounds: 2 },
    takeTurn: async ({ name }, taken, report) => {
      turns.push(name);
      for (const scenario of taken) report(scenario, turns.length);
    },
  });
  expect(turns).toEqual(["a", "b", "b", "a"]);
  expect(failures).toEqual([]);
  expect(measurements.map(({ contender: { name }, scenarios: measured }) => [name, measured])).toEqual([
    [
      "a",
      [
        { name: "first", figures: [1, 4] },
        { name: "second", figures: [1, 4] },
      ],
    ],
    ["b", [{ name: "second", figures: [2, 3] }]],
  ]);
});

it("names a turn that fails, and goes on with the others", async () => {
  const { measurements, failures } = await inRounds<{ name: string }, Scenario, number>({
    ...{ ...quiet, contenders: [contender("a"), contender("b")], rounds: 1 },
    takeTurn: async ({ name }, [scenario], report) => {
      if (name === "a") throw new Error("a: no such command");
      if (scenario !== undefined) report(scenario, 1);
    },
  });
  expect(failures).toEqual(["round 1, a: no such command"]);
  expect(measurements.map(({ contender: { name } }) => name)).toEqual(["b"]);
});

it("stops at once when it is told to", async () => {
  const stopping = new AbortController();
  const rounds = inRounds<{ name: string }, Scenario, number>({
    ...{ ...quiet, stopping: stopping.signal, contenders: [contender("a")], rounds: 1 },
    takeTurn: async () => {
      stopping.abort(new Error("stopped by a signal"));
      throw new Error("killed");
    },
  });
  await expect(rounds).rejects.toThrow("stopped by a signal");
});
