import { expect, it } from "vitest";
import { mayHaveUsedContext } from "./context.js";
import type { JournalRecord, JournalRow } from "./records.js";

const begun = { kind: "dispatched", step: "a", direction: "forward", attempt: 1, round: 1 } as const;
const done = { kind: "completed", step: "a", attempt: 1, output: 1 } as const;
const cut = { kind: "claimed", worker: "w" } as const;
const error = { code: "x", message: "x" };
const failed = { ...begun, kind: "failed", error, refused: false, mayHaveRun: true, retryAfterMs: 1_000 } as const;
const inherited = { kind: "inherited", run: "r", fence: 1, error, steps: [] } as const;

it.each<[string, readonly JournalRecord[], boolean]>([
  ["nothing happened", [], false],
  ["a step completed and changed nothing", [begun, done], false],
  ["one that failed before did so later", [begun, failed, begun, done], false],
  [
    "a step waits, for a child or a time",
    [begun, { kind: "suspended", step: "a", attempt: 1, child: "r" }, cut],
    false,
  ],
  ["the run undoes one that had no context", [{ ...inherited, context: {} }], false],
  ["a step changed it with its result", [begun, { ...done, context: { set: { a: 1 } } }], true],
  ["it was inherited", [{ ...inherited, context: { a: 1 } }], true],
  ["an attempt was cut off, and may have written on the way", [begun, cut], true],
  ["an attempt failed, and may have written on the way", [begun, failed], true],
  ["one of two was cut off", [begun, { ...begun, step: "b" }, done, cut], true],
  ["a step is undone", [begun, done, { ...begun, direction: "compensate" }], true],
])("tells from the journal whether there may be a context: %s", (_, records, expected) => {
  const rows = records.map(
    (record, index): JournalRow => ({
      ...{ v: 1, run: "r", seq: index + 1, fence: 1, appendId: `${index}`, at: index },
      records: [record],
    }),
  );
  expect(mayHaveUsedContext(rows, null)).toBe(expected);
  expect(mayHaveUsedContext(rows, { n: 1 })).toBe(true);
});
