import { describe, expect, it } from "vitest";
import { Story } from "../../oracle/story.test.support.js";

/** What the rules of orchestrated runs are for choreographed ones, where stages have owners of their own and no fences. */
const stories = (write: (s: Story) => void): string[] => {
  const story = new Story("choreography");
  write(story);
  return story.broken;
};

describe("a choreographed run", () => {
  it("breaks no rule when each stage has another owner, and one is undone while its sibling is under way", () => {
    const told = (instance: string) => ({ instance });
    expect(
      stories((s) => {
        s.do("a", told("1.1"));
        s.answer(s.call("b2", "forward", told("2.1")), 503);
        const open = s.call("b1", "forward", told("3.1"));
        s.undo("b2", { instance: "2.1", outcome: "unknown" });
        s.answer(open, 422);
        s.undo("a", told("4.1"));
        s.tell("compensated");
      }),
    ).toEqual([]);
  });

  it("makes an attempt once", () => {
    expect(
      stories((s) => {
        s.answer(s.call("a", "forward", { attempt: 1 }), 503);
        s.answer(s.call("a", "forward", { attempt: 1, instance: "2.1" }), 503);
        s.tell("stuck");
      }),
    ).toEqual(["attempts once"]);
  });

  it("is not undone before the stages behind are settled, but for an owner that was lost or replaced", () => {
    const undone = (lost: (s: Story) => void) => (s: Story) => {
      s.do("a", { instance: "1.1" });
      s.call("b1", "forward", { instance: "2.1" });
      lost(s);
      s.undo("a", { instance: "3.1" });
      s.tell("stuck");
    };
    expect(stories(undone(() => {}))).toEqual(["siblings settle"]);
    expect(stories(undone((s) => s.fault("kill", "2.1", 10)))).toEqual([]);
    expect(stories(undone((s) => s.fault("nats-kill", "NATS", 10)))).toEqual(["siblings settle"]);
    expect(stories(undone((s) => s.undo("b1", { instance: "4.1" })))).toEqual([]);
  });

  it("is not undone at a stage by who still waits for its answer", () => {
    const undone = (instance: string) => (s: Story) => {
      s.call("a", "forward", { instance: "1.1" });
      s.undo("a", { instance });
      s.tell("compensated");
    };
    expect(stories(undone("1.1"))).toEqual(["siblings settle"]);
    expect(stories(undone("2.1"))).toEqual([]);
  });

  it("calls no stage after it was undone, unless by an owner that had been lost", () => {
    const late = (lost: (s: Story) => void) => (s: Story) => {
      s.do("a", { instance: "1.1" });
      lost(s);
      s.undo("a", { instance: "2.1" });
      s.answer(s.call("a", "forward", { instance: "1.1" }), 409, "compensated");
      s.tell("compensated");
    };
    expect(stories(late(() => {}))).toEqual(["late step"]);
    expect(stories(late((s) => s.fault("stop", "1.1", 10)))).toEqual([]);
    expect(stories(late((s) => s.fault("stop", "2.1", 10)))).toEqual(["late step"]);
  });

  it("has the verb for a stage in the journal of that stage", () => {
    const asked = (marks: number) => (s: Story) => {
      s.verb("resume", "reason 1", "stage");
      for (let n = 0; n < marks; n += 1) s.row([{ kind: "resumed", request: "resume:reason 1" }], 1, "stage");
      s.tell("stuck");
    };
    expect(stories(asked(1))).toEqual([]);
    expect(stories(asked(0))).toEqual(["verbs"]);
    expect(stories(asked(2))).toEqual(["verbs"]);
  });
});
