import { describe, expect, it } from "vitest";
import { Effects } from "./effects.js";

/** Two effects an act. */
function counted(...effectsOf: readonly (readonly number[])[]): Effects {
  const effects = new Effects(2);
  for (const done of effectsOf) {
    const act = effects.begin();
    for (const effect of done) effects.done(act, effect);
  }
  return effects;
}

describe("effects", () => {
  it("are as they should be when each of each act happened once, in any order", () => {
    const effects = counted([1, 2], [2, 1]);
    effects.check();
    expect(effects.begun).toBe(2);
  });

  it("that are lacking are found out, also where another one makes up for the number", () => {
    expect(() => counted([1, 2], [1, 1]).check()).toThrow(
      "expected each of 2 effects of 2 acts once, got 1 acts without all of them and 1 effects again",
    );
  });

  it("that happen again are found out, also after the check of their act", () => {
    const effects = counted([1, 2]);
    effects.check();
    effects.done(0, 2);
    expect(() => effects.check()).toThrow("0 acts without all of them and 1 effects again");
  });

  it("are checked once", () => {
    const effects = counted([1]);
    expect(() => effects.check()).toThrow("1 acts without all of them");
    effects.check();
  });

  it.each([
    [0, 3],
    [0, 0],
    [7, 1],
  ])("of act %i, number %i, do not exist", (act, effect) => {
    expect(() => counted([]).done(act, effect)).toThrow("expected an effect of an act that was begun");
  });
});
