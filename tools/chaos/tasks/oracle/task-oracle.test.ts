import { describe, expect, it } from "vitest";
import type { Told } from "../../oracle/story.test.support.js";
import { TaskStory } from "./task-story.test.support.js";

/** Each rule is shown a history that keeps it and one that breaks it, and only it. */
const stories = (write: (s: TaskStory) => void, definition = "batch"): string[] => told(write, definition).broken;

const told = (write: (s: TaskStory) => void, definition = "batch"): TaskStory => {
  const story = new TaskStory("orchestration", definition);
  write(story);
  return story;
};

/** Refused at its second stage, and what the first one did is undone. */
const refused = (s: TaskStory, key: string): void => {
  s.do(`items[${key}]/reserve`);
  s.answer(s.call(`items[${key}]/pack`), 422);
  s.undo(`items[${key}]/reserve`);
};

describe("a faultless batch", () => {
  it("breaks no rule: one of which every item is done", () => {
    expect(
      stories((s) => {
        s.progress({ done: 0, failed: 0, skipped: 0 });
        s.allItems();
        s.progress({ done: 6, failed: 0, skipped: 0 });
        s.complete();
      }),
    ).toEqual([]);
  });

  it("breaks no rule: one with an item that failed, was undone and is listed", () => {
    expect(
      stories((s) => {
        s.allItems("i3");
        refused(s, "i3");
        s.complete(["i3"]);
      }),
    ).toEqual([]);
  });

  it("breaks no rule: one that is cancelled half-way, and one that is parked", () => {
    expect(
      stories((s) => {
        s.item("i1");
        s.tell("cancelled");
      }),
    ).toEqual([]);
    const spent = (failed: number) => (s: TaskStory) => {
      s.tell("stuck", "run", { progress: { done: 0, failed, skipped: 0 } });
    };
    expect(stories(spent(4))).toEqual([]);
    expect(stories(spent(3))).toEqual(["parked"]);
  });

  it("breaks no rule: the failed items of another one, done by a run of their own", () => {
    expect(
      stories((s) => {
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
      stories((s) => {
        s.allItems("i4");
        s.complete();
      }),
    ).toEqual(["lost item"]);
    expect(
      stories((s) => {
        s.allItems("i4");
        s.do("items[i4]/reserve");
        s.complete();
      }),
    ).toEqual(["lost item"]);
  });

  it("are lost when one that counts as done was undone", () => {
    expect(
      stories((s) => {
        s.allItems();
        s.undo("items[i2]/reserve");
        s.complete();
      }),
    ).toEqual(["lost item"]);
  });

  it("are none that the source does not have", () => {
    expect(
      stories((s) => {
        s.allItems();
        s.item("i7");
        s.complete();
      }),
    ).toEqual(["strange item"]);
    expect(
      stories((s) => {
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
    expect(stories(twice("run:items[i1]/pack:r2"))).toEqual(["item keys", "lost item"]);
    expect(stories(twice("run:items[i1]/pack"))).toEqual(["item effects", "lost item", "repeated"]);
  });

  it("have a new key when they were undone and are tried again, in a run that is retried", () => {
    expect(
      stories((s) => {
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
      stories((s) => {
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
    expect(stories(given("compensation-failed"))).toEqual([]);
    expect(stories(given("refused"))).toEqual(["left behind"]);
  });

  it("leave nothing behind when they fail at a later stage", () => {
    expect(
      stories((s) => {
        s.allItems("i1");
        s.do("items[i1]/reserve");
        s.answer(s.call("items[i1]/pack"), 422);
        s.complete(["i1"]);
      }),
    ).toEqual(["left behind"]);
  });

  it("are listed by somebody when they failed", () => {
    expect(
      stories((s) => {
        s.allItems();
        s.tell("completed", "run", { output: { items: 6, done: 6, failed: 0, skipped: 0 } });
      }),
    ).toEqual(["failed items"]);
  });

  it.each([{ items: 5 }, { done: 5 }, { failed: 1 }, { skipped: 1 }])("add up to what was given: not %j", (output) => {
    expect(
      stories((s) => {
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
    expect(stories(three)).toEqual(["concurrency"]);
    expect(
      stories((s) => {
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
        stories((s) => {
          s.fault(fault, "1.1", 5_000);
          three(s);
        }),
      ).toEqual([]);
    expect(
      stories((s) => {
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
    expect(stories(late(null))).toEqual(["after the end"]);
    expect(stories(late("stop"))).toEqual([]);
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
    expect(stories(paused("i2", "i3", "i4"))).toEqual([]);
    expect(stories(paused("i2", "i3", "i5"))).toEqual(["paused"]);
  });

  it("goes on when it was resumed between two answers", () => {
    expect(
      stories((s) => {
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
    expect(stories(again("i1")(null))).toEqual(["repeated"]);
    expect(stories(again("i1")("terminate"))).toEqual(["repeated"]);
    expect(stories(again("i1", "i2", "i3")("kill"))).toEqual([]);
  });

  it("is at most a chunk of each slot then", () => {
    const three = again("i1", "i3", "i5");
    expect(stories(three("kill"))).toEqual(["repeated"]);
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
    expect(stories(killed(4_000))).toEqual([]);
    expect(told(killed(4_000)).verdict.heirs).toMatchObject([{ instance: "1.1", chunk: 0 }]);
    expect(stories(killed(6_000))).toEqual(["chunk takeover"]);
  });

  it("counts from the return of a database that was down, and not while the batch is held up", () => {
    expect(
      stories(
        killed(4_000, (s) => {
          s.fault("restart", null, 3_000);
          s.tick(3_000);
        }),
      ),
    ).toEqual([]);
    expect(stories(killed(6_000, (s) => s.tell("paused")))).toEqual([]);
    expect(stories(killed(6_000, (s) => s.fault("stop", "3.1", 4_000)))).toEqual([]);
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
    expect(stories(twice({ done: 2 }, { done: 2 }))).toEqual([]);
    expect(stories(twice({ done: 2 }, { done: 1 }))).toEqual(["progress"]);
    expect(stories(twice({ failed: 2 }, { failed: 1 }))).toEqual(["progress"]);
  });

  it("may come late: an answer is as old as its question", () => {
    expect(
      stories((s) => {
        const asked = s.events.length;
        s.progress({ done: 2, failed: 0, skipped: 0 });
        const progress = { done: 1, failed: 0, skipped: 0 };
        s.add({ kind: "told", at: s.tick(), instance: "2.1", run: "run", status: "running", asked, progress });
        s.park();
      }),
    ).toEqual([]);
  });

  it("is never beyond the items", () => {
    expect(stories(twice({ done: 6 }, { done: 6, failed: 1 }))).toEqual(["progress"]);
  });

  it("counts failed items anew when they are tried again", () => {
    expect(
      stories((s) => {
        s.progress({ done: 0, failed: 2, skipped: 0 });
        s.verb("retry", "reason 1");
        s.row([{ request: "retry:reason 1" }]);
        s.progress({ done: 0, failed: 0, skipped: 0 });
        s.park();
      }),
    ).toEqual([]);
  });
});

describe("a task that is a function", () => {
  const place = (s: TaskStory, name: string, before: readonly string[], told: Told = {}): void => {
    const outputs = Object.fromEntries(before.map((each) => [each, { reference: s.referenceOf(`task/${each}`) }]));
    s.do(`task/${name}`, { outputs, fence: 0, instance: "1.1", ...told });
  };
  const all =
    ({ sleepMs = 500, without = "", told = {} as Told, key = undefined as string | undefined } = {}) =>
    (s: TaskStory) => {
      place(s, "a", [], key === undefined ? {} : { key });
      s.tick(sleepMs);
      for (const name of ["b1", "b2"]) place(s, name, ["a"]);
      if (without !== "c") place(s, "c", ["a", "b1", "b2"], told);
      s.tell("completed");
    };

  it("does its places in order, each with what those before gave, and sleeps between", () => {
    expect(stories(all(), "function")).toEqual([]);
    expect(stories(all({ sleepMs: 400 }), "function")).toEqual(["woke early"]);
    expect(stories(all({ told: { outputs: { a: { reference: "another" } } } }), "function")).toEqual([
      "function order",
    ]);
    expect(stories(all({ key: "run:task/other" }), "function")).toEqual(["function keys"]);
  });

  it("has done all of them when it has completed", () => {
    expect(stories(all({ without: "c" }), "function")).toEqual(["function end"]);
  });

  it("does nothing again that was saved, but by an instance that had lost it", () => {
    const again = (fault: string | null) => (s: TaskStory) => {
      place(s, "a", []);
      s.tick(500);
      place(s, "b1", ["a"]);
      if (fault !== null) s.fault(fault, "1.1", 1_000);
      s.answer(s.call("task/a", "forward", { instance: "1.1", outputs: {} }), 200, "replayed");
      s.park();
    };
    expect(stories(again(null), "function")).toEqual(["saved twice"]);
    expect(stories(again("stop"), "function")).toEqual([]);
  });
});

describe("a workflow that sleeps", () => {
  const ships =
    ({ after = 500, sent = null as number | null, isDone = true, takenAfter = 0 }) =>
    (s: TaskStory) => {
      s.do("a");
      s.tick(after);
      if (takenAfter > 0) s.tick(takenAfter);
      if (sent !== null) s.signal(sent);
      if (isDone) s.do("ship");
      s.tell("completed");
    };

  it("wakes no sooner than it said", () => {
    expect(stories(ships({ sent: 0 }), "sleeper")).toEqual([]);
    expect(stories(ships({ sent: 0, after: 400 }), "sleeper")).toEqual(["woke early"]);
  });

  it("does what was approved in time, and nothing that was not", () => {
    expect(stories(ships({ isDone: false }), "sleeper")).toEqual([]);
    expect(stories(ships({}), "sleeper")).toEqual(["approval"]);
    expect(stories(ships({ sent: 0, isDone: false }), "sleeper")).toEqual(["approval"]);
    expect(stories(ships({ sent: 0, takenAfter: 1_500, isDone: false }), "sleeper")).toEqual([]);
  });
});

describe("a queue", () => {
  const two = (write: (s: TaskStory) => void) =>
    stories((s) => {
      s.start("other", "queued");
      const first = s.call("a");
      const events = s.events.length;
      s.do("a");
      for (const [place, event] of s.events.entries())
        if (place >= events && "run" in event)
          s.events[place] = { ...event, run: "other", key: "other:a" } as typeof event;
      write(s);
      s.answer(first);
      s.tell("completed");
      s.tell("completed", "other");
    }, "queued");

  it("lets no more runs through than it says", () => {
    expect(two((s) => s.do("a"))).toContain("queue");
    expect(two(() => {})).not.toContain("queue");
  });

  it("gives the place of a parked run to another one", () => {
    expect(
      two((s) => {
        s.park();
        s.do("a");
      }),
    ).not.toContain("queue");
  });
});

describe("a schedule", () => {
  const ticks =
    (skipped: number, ...times: string[]) =>
    (s: TaskStory) => {
      s.park();
      for (const [index, time] of times.entries()) s.scheduled(`tick ${index}`, `2026-01-01T00:${time}.000Z`);
      s.schedules = [{ definition: "ticking", skipped, everyMs: 60_000 }];
    };

  it("starts exactly one run for each tick", () => {
    expect(stories(ticks(0, "01:00", "02:00", "03:00"))).toEqual([]);
    expect(stories(ticks(0, "01:00", "02:00", "02:00", "03:00"))).toEqual(["ticks"]);
    expect(stories(ticks(0, "01:00", "03:00"))).toEqual(["ticks"]);
    expect(stories(ticks(1, "01:00", "03:00"))).toEqual([]);
  });
});
