import { describe, expect, it } from "vitest";
import { type EventDriver, measure } from "./contender.js";
import { Effects } from "./effects.js";
import type { EventScenario } from "./scenarios.js";

const scenario: EventScenario = {
  ...{ kind: "event", name: "event-100", title: "", inFlight: 3, startFor: 0, pauseMs: null },
};

function driver(effects: Effects, effectsOf: (n: number) => number, kept?: EventDriver["expectKept"]): EventDriver {
  return {
    act: async (n) => {
      for (let times = 0; times < effectsOf(n); times += 1) effects.done(n);
      return 7;
    },
    ...(kept !== undefined && { expectKept: kept }),
    close: () => Promise.resolve(),
  };
}

describe("measuring acts", () => {
  it("counts those whose effects happened once, with the latencies that the contender gives", async () => {
    const effects = new Effects(1);
    const { acts, latenciesMs } = await measure(
      driver(effects, () => 1),
      effects,
      scenario,
    );
    expect([acts, latenciesMs]).toEqual([3, [7, 7, 7]]);
  });

  it.each([
    ["lacks", 0],
    ["happens twice", 2],
  ])("refuses a contender of which an effect %s", async (_, times) => {
    const effects = new Effects(1);
    const wrong = driver(effects, (n) => (n === 1 ? times : 1));
    await expect(measure(wrong, effects, scenario)).rejects.toThrow("expected each of 1 effects of 3 acts once");
  });

  it("refuses one whose effects are not in its database, of this measurement and those before", async () => {
    const effects = new Effects(1);
    const asked: number[] = [];
    const kept = (acts: number): Promise<void> => {
      asked.push(acts);
      return acts > 3 ? Promise.reject(new Error("two are lacking")) : Promise.resolve();
    };
    const lossy = driver(effects, () => 1, kept);
    await measure(lossy, effects, scenario);
    await expect(measure(lossy, effects, scenario)).rejects.toThrow("two are lacking");
    expect(asked).toEqual([3, 6]);
  });

  it("gives up on acts that do not end", async () => {
    const effects = new Effects(1);
    const stuck: EventDriver = { act: () => new Promise(() => {}), close: () => Promise.resolve() };
    await expect(measure(stuck, effects, scenario, 5)).rejects.toThrow(
      "expected 3 acts of event-100 to end within 5 ms after the last one may begin, got 0 that did",
    );
  });

  it("lets nothing happen for a while before each act of an idle system", async () => {
    const effects = new Effects(1);
    const { wallMs } = await measure(
      driver(effects, () => 1),
      effects,
      { ...scenario, inFlight: 1, pauseMs: [20, 21] },
    );
    expect(wallMs).toBeGreaterThan(18);
  });
});
