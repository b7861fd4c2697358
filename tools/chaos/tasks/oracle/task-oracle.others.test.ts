import { describe, expect, it } from "vitest";
import type { Told } from "../../oracle/story.test.support.js";
import { brokenBy, type TaskStory } from "./task-story.test.support.js";

/** Each rule is shown a history that keeps it and one that breaks it, and only it. */

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
    expect(brokenBy(all(), "function")).toEqual([]);
    expect(brokenBy(all({ sleepMs: 400 }), "function")).toEqual(["woke early"]);
    expect(brokenBy(all({ told: { outputs: { a: { reference: "another" } } } }), "function")).toEqual([
      "function order",
    ]);
    expect(brokenBy(all({ key: "run:task/other" }), "function")).toEqual(["function keys"]);
  });

  it("has done all of them when it has completed", () => {
    expect(brokenBy(all({ without: "c" }), "function")).toEqual(["function end"]);
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
    expect(brokenBy(again(null), "function")).toEqual(["saved twice"]);
    expect(brokenBy(again("stop"), "function")).toEqual([]);
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
    expect(brokenBy(ships({ sent: 0 }), "sleeper")).toEqual([]);
    expect(brokenBy(ships({ sent: 0, after: 400 }), "sleeper")).toEqual(["woke early"]);
  });

  it("does what was approved in time, and nothing that was not", () => {
    expect(brokenBy(ships({ isDone: false }), "sleeper")).toEqual([]);
    expect(brokenBy(ships({}), "sleeper")).toEqual(["approval"]);
    expect(brokenBy(ships({ sent: 0, isDone: false }), "sleeper")).toEqual(["approval"]);
    expect(brokenBy(ships({ sent: 0, takenAfter: 1_500, isDone: false }), "sleeper")).toEqual([]);
  });
});

describe("a queue", () => {
  const two = (write: (s: TaskStory) => void) =>
    brokenBy((s) => {
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
    expect(brokenBy(ticks(0, "01:00", "02:00", "03:00"))).toEqual([]);
    expect(brokenBy(ticks(0, "01:00", "02:00", "02:00", "03:00"))).toEqual(["ticks"]);
    expect(brokenBy(ticks(0, "01:00", "03:00"))).toEqual(["ticks"]);
    expect(brokenBy(ticks(1, "01:00", "03:00"))).toEqual([]);
  });
});
