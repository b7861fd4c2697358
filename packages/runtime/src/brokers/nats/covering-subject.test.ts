import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOfPattern } from "../../broker/event-message.js";
import { coveringSubject } from "./covering-subject.js";

const word = fc.constantFrom("a", "b", "c");
const subject = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join("."));
const pattern = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([words, isOpen]) => [...words, ...(isOpen ? [">"] : [])].join("."));

describe("the covering subject", () => {
  it.each([
    [["order.created"], "order.created"],
    [["order.created", "order.paid"], "order.*"],
    [["order.created", "order.item.added"], "order.>"],
    [["order", "order.paid"], ">"],
    [["order.>", "order.*.paid"], "order.>"],
    [["*.paid", "order.paid"], "*.paid"],
    [["a.b.c", "a.x.c"], "a.*.c"],
    [[">", "order"], ">"],
  ])("of %j is %s", (patterns, covering) => {
    expect(coveringSubject(patterns)).toBe(covering);
  });

  it("has every subject of each pattern", () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), subject, (patterns, each) => {
        if (patterns.some((one) => isOfPattern(each, one)))
          expect(isOfPattern(each, coveringSubject(patterns))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
