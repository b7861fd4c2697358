import { describe, expect, it } from "vitest";
import { brokenBy, type TaskStory, told } from "./task-story.test.support.js";

/** Each rule is shown a history that keeps it and one that breaks it, and only it. */

/** Refused at its second stage, and what the first one did is undone. */
const refused = (s: TaskStory, key: string): void => {
  s.do(`items[${key}]/reserve`);
  s.answer(s.call(`items[${key}]/pack`), 422);
  s.undo(`items[${key}]/reserve`);
};

describe("a faultless batch", () => {
  it("breaks no rule: one of which every item is done", () => {
    expect(
      brokenBy((s) => {
        s.progress({ done: 0, failed: 0, skipped: 0 });
        s.allItems();
        s.progress({ done: 6, failed: 0, skipped: 0 });
        s.complete();
      }),
    ).toEqual([]);
  });

  it("breaks no rule: one with an item that failed, was undone and is listed", () => {
    expect(
      brokenBy((s) => {
        s.allItems("i3");
        refused(s, "i3");
        s.complete(["i3"]);
      }),
    ).toEqual([]);
  });

  it("breaks no rule: one that is cancelled half-way, and one that is parked", () => {
    expect(
      brokenBy((s) => {
        s.item("i1");
        s.tell("cancelled");
      }),
    ).toEqual([]);
    const spent = (failed: number) => (s: TaskStory) => {
      s.tell("stuck", "run", { progress: { done: 0, failed, skipped: 0 } });
    };
    expect(brokenBy(spent(4))).toEqual([]);
    expect(brokenBy(spent(3))).toEqual(["parked"]);
  });

  it("breaks no rule: the failed items of another one, done by a run of their own", () => {
    expect(
      brokenBy((s) => {
        s.allItems("i3");
        refused(s, "i3");
        s.complete(["i3"]);
        s.add({ kind: "retried", at: s.tick(), run: "again", from: "run" });
        s.listed([{ key: "i3", code: "refused" }], "again");
        s.tell("completed", "again", { output: { items: 1, done: 0, failed: 1, skipped: 0 } });
      }),
    ).toEqual([]);
  });
});

describe("the items of a batch", () => {
  it("are lost when one was neither done nor listed", () => {
    expect(
      brokenBy((s) => {
        s.allItems("i4");
        s.complete();
      }),
    ).toEqual(["lost item"]);
    expect(
      brokenBy((s) => {
        s.allItems("i4");
        s.do("items[i4]/reserve");
        s.complete();
      }),
    ).toEqual(["lost item"]);
  });

  it("are lost when one that counts as done was undone", () => {
    expect(
      brokenBy((s) => {
        s.allItems();
        s.undo("items[i2]/reserve");
        s.complete();
      }),
    ).toEqual(["lost item"]);
  });

  it("are none that the source does not have", () => {
    expect(
      brokenBy((s) => {
        s.allItems();
        s.item("i7");
        s.complete();
      }),
    ).toEqual(["strange item"]);
    expect(
      brokenBy((s) => {
        s.allItems("i1");
        refused(s, "i1");
        s.complete(["i1", "i9"], { done: 5, failed: 1 });
      }),
    ).toEqual(["counters", "failed items"]);
  });

  it("have one key and one effect for each stage", () => {
    const twice = (key: string) => (s: TaskStory) => {
      s.allItems();
      s.do("items[i1]/pack", { key });
      s.complete();
    };
    expect(brokenBy(twice("run:items[i1]/pack:r2"))).toEqual(["item keys", "lost item"]);
    expect(brokenBy(twice("run:items[i1]/pack"))).toEqual(["item effects", "lost item", "repeated"]);
  });

  it("have a new key when they were undone and are tried again, in a run that is retried", () => {
    expect(
      brokenBy((s) => {
        s.allItems("i1");
        refused(s, "i1");
        s.verb("retry", "reason 1");
        s.row([{ request: "retry:reason 1" }]);
        s.do("items[i1]/reserve", { key: "run:items[i1]/reserve:r2" });
        s.do("items[i1]/pack");
        s.complete();
      }),
    ).toEqual([]);
  });

  it("go through their stages in order", () => {
    expect(
      brokenBy((s) => {
        s.do("items[i1]/pack");
        s.park();
      }),
    ).toEqual(["item order"]);
  });

  it("may be left as they are when nobody could undo them, and the list says so", () => {
    const given = (code: string) => (s: TaskStory) => {
      s.allItems("i1");
      s.do("items[i1]/reserve");
      s.answer(s.call("items[i1]/pack"), 422);
      s.answer(s.call("items[i1]/reserve", "compensate"), 422);
      s.listed([{ key: "i1", code }]);
      s.tell("completed", "run", { output: { items: 6, done: 5, failed: 1, skipped: 0 } });
    };
    expect(brokenBy(given("compensation-failed"))).toEqual([]);
    expect(brokenBy(given("refused"))).toEqual(["left behind"]);
  });

  it("leave nothing behind when they fail at a later stage", () => {
    expect(
      brokenBy((s) => {
        s.allItems("i1");
        s.do("items[i1]/reserve");
        s.answer(s.call("items[i1]/pack"), 422);
        s.complete(["i1"]);
      }),
    ).toEqual(["left behind"]);
  });

  it("are listed by somebody when they failed", () => {
    expect(
      brokenBy((s) => {
        s.allItems();
        s.tell("completed", "run", { output: { items: 6, done: 6, failed: 0, skipped: 0 } });
      }),
    ).toEqual(["failed items"]);
  });

  it.each([{ items: 5 }, { done: 5 }, { failed: 1 }, { skipped: 1 }])("add up to what was given: not %j", (output) => {
    expect(
      brokenBy((s) => {
        s.allItems();
        s.complete([], output);
      }),
    ).toEqual(["counters"]);
  });
});

describe("items under way at once", () => {
  const three = (s: TaskStory, last = "2.1"): void => {
    s.call("items[i1]/reserve", "forward", { instance: "1.1" });
    s.call("items[i3]/reserve", "forward", { instance: "1.1" });
    s.call("items[i5]/reserve", "forward", { instance: last });
    s.park();
  };

  it("are no more than chunks that may be", () => {
    expect(brokenBy(three)).toEqual(["concurrency"]);
    expect(
      brokenBy((s) => {
        s.answer(s.call("items[i1]/reserve"), 503);
        s.call("items[i1]/reserve");
        s.call("items[i3]/reserve");
        s.park();
      }),
    ).toEqual([]);
  });

  it("do not include those of an instance that is dead or cut off", () => {
    for (const fault of ["kill", "partition"])
      expect(
        brokenBy((s) => {
          s.fault(fault, "1.1", 5_000);
          three(s);
        }),
      ).toEqual([]);
    expect(
      brokenBy((s) => {
        s.fault("reset", "1.1", 5_000);
        three(s);
      }),
    ).toEqual(["concurrency"]);
  });
});

describe("a batch that does not go on", () => {
  it("is not worked once it was told ended, but by an instance that was cut off", () => {
    const late = (fault: string | null) => (s: TaskStory) => {
      s.item("i1");
      s.tell("cancelled");
      if (fault !== null) s.fault(fault, "1.1", 1_000);
      s.call("items[i2]/reserve");
    };
    expect(brokenBy(late(null))).toEqual(["after the end"]);
    expect(brokenBy(late("stop"))).toEqual([]);
  });

  it("finishes the chunks under way when it is paused, and begins no others", () => {
    const paused =
      (...keys: string[]) =>
      (s: TaskStory) => {
        s.item("i1");
        s.verb("pause", "reason 1");
        s.row([{ kind: "paused", request: "pause:reason 1" }]);
        s.tell("paused");
        for (const key of keys) s.item(key);
        s.tell("paused");
      };
    expect(brokenBy(paused("i2", "i3", "i4"))).toEqual([]);
    expect(brokenBy(paused("i2", "i3", "i5"))).toEqual(["paused"]);
  });

  it("goes on when it was resumed between two answers", () => {
    expect(
      brokenBy((s) => {
        s.verb("pause", "reason 1");
        s.tell("paused");
        s.verb("resume", "reason 2");
        s.row([{ request: "pause:reason 1" }, { request: "resume:reason 2" }]);
        for (const key of ["i1", "i3", "i5"]) s.item(key);
        s.tell("paused");
      }),
    ).toEqual([]);
  });
});

describe("what was done and answered", () => {
  const again = (...keys: string[]) => {
    return (fault: string | null) => (s: TaskStory) => {
      for (const key of ["i1", "i2", "i3", "i5"]) s.item(key, { instance: "1.1" });
      if (fault !== null) s.fault(fault, "1.1", 10);
      for (const key of keys)
        s.answer(s.call(`items[${key}]/reserve`, "forward", { instance: "2.1" }), 200, "replayed");
      s.park();
    };
  };

  it("is asked for again only after its caller was lost", () => {
    expect(brokenBy(again("i1")(null))).toEqual(["repeated"]);
    expect(brokenBy(again("i1")("terminate"))).toEqual(["repeated"]);
    expect(brokenBy(again("i1", "i2", "i3")("kill"))).toEqual([]);
  });

  it("is at most a chunk of each slot then", () => {
    const three = again("i1", "i3", "i5");
    expect(brokenBy(three("kill"))).toEqual(["repeated"]);
    expect(told(again("i1", "i2", "i3")("kill")).verdict.repeats).toEqual({ calls: 3, mostChunksOfAKill: 2 });
  });
});

describe("a chunk of an instance that was killed", () => {
  const killed =
    (afterMs: number, between: (s: TaskStory) => void = () => {}) =>
    (s: TaskStory) => {
      s.item("i1", { instance: "1.1" });
      s.fault("kill", "1.1", 10);
      s.tick(10);
      between(s);
      s.tick(afterMs);
      s.item("i2", { instance: "2.1" });
      s.tick(10_000);
      s.park();
    };

  it("goes on within a lease and some more", () => {
    expect(brokenBy(killed(4_000))).toEqual([]);
    expect(told(killed(4_000)).verdict.heirs).toMatchObject([{ instance: "1.1", chunk: 0 }]);
    expect(brokenBy(killed(6_000))).toEqual(["chunk takeover"]);
  });

  it("counts from the return of a database that was down, and not while the batch is held up", () => {
    expect(
      brokenBy(
        killed(4_000, (s) => {
          s.fault("restart", null, 3_000);
          s.tick(3_000);
        }),
      ),
    ).toEqual([]);
    expect(brokenBy(killed(6_000, (s) => s.tell("paused")))).toEqual([]);
    expect(brokenBy(killed(6_000, (s) => s.fault("stop", "3.1", 4_000)))).toEqual([]);
  });

  it("is nobody's when all its items had been called for", () => {
    expect(
      told((s) => {
        s.item("i1", { instance: "1.1" });
        s.item("i2", { instance: "1.1" });
        s.fault("kill", "1.1", 10);
        s.park();
      }).verdict.heirs,
    ).toEqual([]);
  });
});

describe("progress", () => {
  const twice = (first: object, second: object) => (s: TaskStory) => {
    for (const each of [first, second]) s.progress({ done: 0, failed: 0, skipped: 0, ...each });
    s.park();
  };

  it("never goes back", () => {
    expect(brokenBy(twice({ done: 2 }, { done: 2 }))).toEqual([]);
    expect(brokenBy(twice({ done: 2 }, { done: 1 }))).toEqual(["progress"]);
    expect(brokenBy(twice({ failed: 2 }, { failed: 1 }))).toEqual(["progress"]);
  });

  it("may come late: an answer is as old as its question", () => {
    expect(
      brokenBy((s) => {
        const asked = s.events.length;
        s.progress({ done: 2, failed: 0, skipped: 0 });
        const progress = { done: 1, failed: 0, skipped: 0 };
        s.add({ kind: "told", at: s.tick(), instance: "2.1", run: "run", status: "running", asked, progress });
        s.park();
      }),
    ).toEqual([]);
  });

  it("is never beyond the items", () => {
    expect(brokenBy(twice({ done: 6 }, { done: 6, failed: 1 }))).toEqual(["progress"]);
  });

  it("counts failed items anew when they are tried again", () => {
    expect(
      brokenBy((s) => {
        s.progress({ done: 0, failed: 2, skipped: 0 });
        s.verb("retry", "reason 1");
        s.row([{ request: "retry:reason 1" }]);
        s.progress({ done: 0, failed: 0, skipped: 0 });
        s.park();
      }),
    ).toEqual([]);
  });
});
