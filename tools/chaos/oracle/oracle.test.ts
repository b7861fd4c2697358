import { describe, expect, it } from "vitest";
import { checkTakeovers, type Orphaned, takeovers } from "./journal.js";
import { Story } from "./story.test.support.js";

/** Each rule is shown a history that keeps it and one that breaks it, and only it. */
let story: Story;
const stories = (write: (s: Story) => void): string[] => {
  story = new Story();
  write(story);
  return story.broken;
};

const completed = (s: Story): void => {
  s.do("a");
  s.do("b1");
  s.do("b2");
  s.do("c");
  s.tell("completed");
};

const compensated = (s: Story): void => {
  s.do("a");
  s.do("b1");
  s.answer(s.call("b2"), 422);
  s.undo("b1");
  s.undo("a");
  s.tell("compensated");
};

describe("a faultless run", () => {
  it.each([
    ["that completes", completed],
    ["that is undone", compensated],
    [
      "that is taken over with a step that may have run, and undone",
      (s: Story) => {
        s.do("a");
        const lost = s.call("b1");
        s.answer(s.call("b2"), 422);
        s.effect(lost);
        s.answer(s.call("b2", "forward", { fence: 2 }), null);
        s.undo("b2", { fence: 2, outcome: "unknown" });
        s.undo("b1", { fence: 2, outcome: "unknown" });
        s.undo("a", { fence: 2 });
        s.tell("cancelled");
      },
    ],
    ["that is parked", (s: Story) => s.tell("stuck")],
  ])("breaks no rule: one %s", (_, write) => {
    expect(stories(write)).toEqual([]);
  });
});

describe("the participants' ledger", () => {
  it("shows a key that is not the step's", () => {
    expect(
      stories((s) => {
        s.do("a", { key: "run:a:2" });
        s.tell("stuck");
      }),
    ).toEqual(["keys"]);
    expect(
      stories((s) => {
        s.do("a", { key: "run:ab" });
        s.tell("stuck");
      }),
    ).toEqual(["keys"]);
  });

  it("shows two effects of one step, and takes a new round for another one", () => {
    const twice = (key: string) => (s: Story) => {
      s.do("a");
      s.do("a", { key });
      s.tell("stuck");
    };
    expect(stories(twice("run:a:again"))).toEqual(["keys", "one effect"]);
    expect(stories(twice("run:a:r2"))).toEqual([]);
  });

  it("shows a completed run that lacks an effect, or has one undone", () => {
    expect(
      stories((s) => {
        s.do("a");
        s.tell("completed");
      }),
    ).toEqual(["effects of the end"]);
    expect(
      stories((s) => {
        for (const step of ["a", "b1", "b2", "c"]) s.do(step);
        s.undo("b1");
        s.tell("completed");
      }),
    ).toEqual(["effects of the end", "pivot"]);
  });

  it.each(["compensated", "cancelled"])(
    "shows an effect that a %s run left behind, unless an operator said so",
    (status) => {
      const left = (s: Story): void => {
        s.do("a");
        s.do("b1");
        s.undo("b1");
        s.tell(status);
      };
      expect(stories(left)).toEqual(["effects of the end", "forgotten"]);
      const skipped = (s: Story): void => {
        s.verb("skip", "reason 1");
        s.row([{ kind: "compensation-skipped", step: "a", request: "skip:reason 1" }]);
        left(s);
      };
      expect(stories(skipped)).toEqual([]);
    },
  );

  it("takes a step past the pivot that an operator skipped for one that need not be done", () => {
    const without = (missing: string, isSkipped: boolean) => (s: Story) => {
      for (const step of ["a", "b1", "b2", "c"]) if (step !== missing) s.do(step);
      if (isSkipped) s.verb("skip", "reason 1");
      if (isSkipped) s.row([{ kind: "step-skipped", step: missing, request: "skip:reason 1" }]);
      s.tell("completed");
    };
    expect(stories(without("c", true))).toEqual([]);
    expect(stories(without("c", false))).toEqual(["effects of the end"]);
    expect(stories(without("b2", true))).toContain("effects of the end");
  });

  it("shows a run that went back after its pivot", () => {
    expect(
      stories((s) => {
        for (const step of ["a", "b1", "b2"]) s.do(step);
        s.answer(s.call("c"), 422);
        for (const step of ["b1", "b2", "a"]) s.undo(step);
        s.tell("compensated");
      }),
    ).toEqual(["pivot"]);
  });
});

describe("the order of calls", () => {
  it("is broken by a step before what it depends on", () => {
    expect(
      stories((s) => {
        s.do("b1");
        s.tell("stuck");
      }),
    ).toEqual(["forward order"]);
  });

  it("is broken by an output, or a context, that is not the one that was given", () => {
    const with_ = (told: object) => (s: Story) => {
      s.do("a");
      s.do("b1", told);
      s.tell("stuck");
    };
    expect(stories(with_({ outputs: { a: { reference: "another" } } }))).toEqual(["forward order"]);
    expect(stories(with_({ context: {} }))).toEqual(["forward order"]);
  });

  it("is broken by a step after its compensation, but not by one of an owner that was replaced", () => {
    const late = (fence: number, why?: "stale-fence") => (s: Story) => {
      s.do("a", { fence: 2 });
      s.undo("a", { fence: 2 });
      s.answer(s.call("a", "forward", { fence }), 409, why);
      s.tell("compensated");
    };
    expect(stories(late(2))).toEqual(["late step"]);
    expect(stories(late(1, "stale-fence"))).toEqual([]);
  });

  it("is broken by undoing what came first, first", () => {
    expect(
      stories((s) => {
        s.do("a");
        s.do("b1");
        s.undo("a");
        s.undo("b1");
        s.tell("compensated");
      }),
    ).toEqual(["undo order"]);
  });

  it("is broken by undoing while a sibling may still answer, until its caller has given it up", () => {
    const sibling = (waitMs: number) => (s: Story) => {
      s.do("a");
      const open = s.call("b1");
      s.answer(s.call("b2"), 422);
      s.tick(waitMs);
      s.undo("b1", { outcome: "unknown" });
      s.undo("a");
      s.answer(open, 409, "compensated");
      s.tell("compensated");
    };
    expect(stories(sibling(100))).toEqual(["siblings settle"]);
    expect(stories(sibling(900))).toEqual([]);
  });
});

describe("what is undone", () => {
  it.each([[null], [500], [408]])("includes what may have run: a call that was answered %s", (status) => {
    expect(
      stories((s) => {
        s.do("a");
        s.answer(s.call("b1"), status);
        s.undo("a");
        s.tell("compensated");
      }),
    ).toEqual(["forgotten"]);
  });

  it("does not include what certainly did not run", () => {
    const refused = (s: Story, attempt = 1): void => {
      s.answer(s.call("a", "forward", { attempt }), 422);
      s.undo("a", { outcome: "unknown" });
      s.tell("compensated");
    };
    expect(stories(refused)).toEqual(["undone without cause"]);
    expect(stories((s) => refused(s, 2))).toEqual([]);
    const disturbed = (s: Story): void => {
      s.fault("stop", "1.1", 500);
      refused(s);
    };
    expect(stories(disturbed)).toEqual([]);
  });

  it("is called completed when it completed, with its output", () => {
    const undone =
      (told: object, done = true) =>
      (s: Story) => {
        if (done) s.do("a");
        else s.answer(s.call("a"), 503);
        s.undo("a", told);
        s.tell("compensated");
      };
    expect(stories(undone({ outcome: "completed" }, false))).toEqual(["outcome"]);
    expect(stories(undone({ outcome: "completed", output: { reference: "another" } }))).toEqual(["outcome"]);
  });
});

describe("owners", () => {
  it("do not share a fence", () => {
    expect(
      stories((s) => {
        s.do("a", { instance: "1.1" });
        s.do("b1", { instance: "2.1" });
        s.tell("stuck");
      }),
    ).toEqual(["one owner"]);
  });

  it("make an attempt once", () => {
    expect(
      stories((s) => {
        s.answer(s.call("a", "forward", { attempt: 1 }), 503);
        s.answer(s.call("a", "forward", { attempt: 1 }), 503);
        s.tell("stuck");
      }),
    ).toEqual(["attempts once"]);
  });
});

describe("what the API told", () => {
  it("is one end", () => {
    expect(
      stories((s) => {
        completed(s);
        s.tell("running");
        s.tell("completed");
      }),
    ).toEqual(["one end"]);
  });

  it("is an end, or a place where the run is parked, in the end", () => {
    for (const status of ["running", "waiting", "compensating", "pending"])
      expect(
        stories((s) => s.tell(status)),
        status,
      ).toEqual(["over"]);
    expect(stories(() => {})).toEqual(["over"]);
  });

  it("is one run for a key, and one key for a run", () => {
    const again = (key: string, run: string) => (s: Story) => {
      s.add({ kind: "started", at: s.tick(), instance: "2.1", key, definition: "saga", run });
      s.tell("stuck");
      s.tell("stuck", run);
    };
    expect(stories(again("k", "run"))).toEqual([]);
    expect(stories(again("k", "other"))).toEqual(["one run per key"]);
    expect(stories(again("other", "run"))).toEqual(["one run per key"]);
  });

  it("is not forgotten", () => {
    expect(
      stories((s) => {
        s.tell("stuck");
        s.add({ kind: "unknown", at: s.tick(), instance: "2.1", run: "run" });
      }),
    ).toEqual(["lost"]);
  });

  it("is not a refusal of a start that was in order", () => {
    expect(
      stories((s) => {
        s.tell("stuck");
        s.add({ kind: "refused", at: s.tick(), instance: "1.1", key: "k2", answer: "409 idempotency-key-reused" });
      }),
    ).toEqual(["refused start"]);
  });

  it("covers every run that participants are called for", () => {
    expect(
      stories((s) => {
        s.tell("stuck");
        s.events.shift();
        s.do("a");
      }),
    ).toEqual(["unasked"]);
  });
});

describe("an operator's verb", () => {
  const mark = { kind: "resumed", actor: "operator", reason: "reason 1", request: "resume:reason 1" };

  it.each([
    ["carried out once", [mark], []],
    ["refused", [{ ...mark, kind: "verb-refused", verb: "resume", reason: "expected a stuck run" }], []],
    ["forgotten", [], ["verbs"]],
    ["forgotten, and another one carried out", [{ ...mark, request: "resume:reason 2" }], ["verbs"]],
    ["carried out twice", [mark, mark], ["verbs"]],
  ])("is judged when it is %s", (_, marks, broken) => {
    expect(
      stories((s) => {
        s.verb("resume", "reason 1");
        for (const each of marks) s.row([each]);
        s.tell("stuck");
      }),
    ).toEqual(broken);
  });

  it("may find that the run has ended", () => {
    expect(
      stories((s) => {
        s.verb("cancel", "reason 1");
        s.row([{ kind: "finished", status: "completed" }]);
        completed(s);
      }),
    ).toEqual([]);
  });
});

describe("a takeover", () => {
  const rows = (...given: [at: number, fence: number][]) =>
    new Map([["run", given.map(([at, fence], index) => ({ seq: index + 1, at, fence, records: [] }))]]);
  const orphaned = (fault: Orphaned["fault"], at = 1_000): Orphaned[] => [
    { instance: "1.1", fault, at, runs: [{ run: "run", fence: 1 }] },
  ];
  const outage = (at: number, until: number) =>
    ({ kind: "fault", fault: "restart", at, until, instance: null }) as const;

  it("is measured from the loss of the owner to the first row of another", () => {
    const found = takeovers(orphaned("kill"), rows([900, 1], [1_001, 1], [4_500, 2], [4_600, 2]), []);
    expect(found).toEqual([{ run: "run", instance: "1.1", ms: 3_500, outage: false }]);
    expect(checkTakeovers(found, 3_500)).toEqual([]);
    expect(checkTakeovers(found, 3_499).map(({ rule }) => rule)).toEqual(["takeover"]);
  });

  it("counts from the return of a database that was down meanwhile", () => {
    const found = takeovers(orphaned("kill"), rows([900, 1], [9_000, 2]), [outage(2_000, 5_000), outage(9_500, 9_900)]);
    expect(found).toMatchObject([{ ms: 4_000, outage: true }]);
  });

  it("is none when the owner's last row ended the run, or the stopped owner went on", () => {
    expect(takeovers(orphaned("kill"), rows([900, 1], [1_001, 1]), [])).toEqual([]);
    expect(takeovers(orphaned("stop"), rows([900, 1], [3_000, 1], [90_000, 2]), [])).toEqual([]);
  });
});
