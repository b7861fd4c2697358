import { describe, expect, it } from "vitest";
import { task } from "../../saga/task.js";
import { type Happening, Transcript } from "../transcript.test.support.js";

/** A step that is a function, as transcripts.test.ts: what it says on its way, and what brings it on. */
const definition = task("function", () => null);
const saved = (name: string, place: number): Happening => [
  "says",
  { kind: "saved", step: "task", name, place, output: name },
];
const waits = (name: string, afterMs?: number): Happening => [
  "says",
  { kind: "waits", step: "task", name, signal: "go", ...(afterMs !== undefined && { afterMs }) },
];

const scenarios: Record<string, Happening[]> = {
  "a function saves twice and ends": [saved("a", 1), saved("b", 2), ["ok", "task"]],
  "a function is run again after a failure, and its attempts count from what it saved": [
    ["failed", "task"],
    ["after", 1_000],
    saved("a", 1),
    ["failed", "task"],
    ["after", 1_000],
    ["failed", "task"],
  ],
  "a function is refused": [saved("a", 1), ["refused", "task"]],
  "a function sleeps, over a crash, and is run again at its time": [
    ["says", { kind: "waits", step: "task", name: "nap", place: 1, afterMs: 20_000 }],
    ["parks", "task", 20_000],
    ["crash"],
    ["after", 19_999],
    ["after", 1],
    ["ok", "task"],
  ],
  "a function that waits is run again by its signal": [
    waits("go"),
    ["parks", "task", null, "go"],
    ["signal", "other"],
    ["signal", "go", "yes"],
    ["ok", "task"],
  ],
  "a function that waits is run again when the signal does not come": [
    waits("go", 20_000),
    ["parks", "task", 20_000, "go"],
    ["after", 20_000],
    ["signal", "go", "late"],
    ["ok", "task"],
  ],
  "a function takes signals while it runs, each once": [
    waits("one"),
    waits("two", 10_000),
    ["signal", "go", "first"],
    ["after", 10_000],
    ["signal", "go", "second"],
    ["ok", "task"],
  ],
  "a signal comes in the row with which a function is suspended": [
    waits("go"),
    ["signal", "go", "just now"],
    ["parks", "task", null, "go"],
    ["ok", "task"],
  ],
  "a function is canceled while it runs": [saved("a", 1), ["verb", "cancel"], ["failed", "task"]],
  "a function is canceled in its sleep": [
    ["says", { kind: "waits", step: "task", name: "nap", place: 1, afterMs: 20_000 }],
    ["parks", "task", 20_000],
    ["verb", "cancel"],
  ],
  "a function makes way for a pause": [
    saved("a", 1),
    ["verb", "pause"],
    ["parks", "task", 0],
    ["after", 5_000],
    ["verb", "resume"],
    ["ok", "task"],
  ],
  "the time of a function's run is up": [
    ["after", 60_000],
    ["lost", "task"],
  ],
  "a function that is another one waits for an operator": [
    saved("a", 1),
    ["diverged", "task"],
    ["verb", "resume"],
    ["ok", "task"],
  ],
  "a function that gets on is no suspect of a crash": [
    ["crash"],
    saved("a", 1),
    ["crash"],
    saved("b", 2),
    ["crash"],
    ["crash"],
    ["crash"],
    ["crash"],
  ],
};

describe("transcripts of a step that is a function", () => {
  it.each(Object.entries(scenarios))("%s", async (title, happenings) => {
    const text = new Transcript(definition, "compensate").play(happenings);
    await expect(text).toMatchFileSnapshot(`transcripts/${title.replaceAll(/\W+/g, "-")}.txt`);
  });
});
