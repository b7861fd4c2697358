import { describe, expect, test } from "vitest";
import { diagnosticsOf } from "../../fixture.test.support.js";

const STAGES = "stages: [{name: a, service: s, endpoint: /a}]";
const said = (...tasks: string[]): string[] =>
  diagnosticsOf(
    `long_running:\n  tasks:\n${tasks.map((task, i) => `    - {name: t${i}, ${STAGES}, ${task}}\n`).join("")}`,
  ).map(({ code, key, expected, got }) => `${code} ${key.replace("long_running.tasks", "")}: ${expected}, got ${got}`);

describe("a task's start", () => {
  test.each([
    ["concurrency: 1, concurrency_per_key: 2, queue_key: input.a, rate_limit: {max: 5, window: 24h}"],
    ["queue: q, concurrency: 2", "queue: q", "queue: q, concurrency: 2"],
    ["queue: default, priority: -5"],
    [
      "schedule: '0 2 * * *', timezone: Europe/Berlin, overlap: queue, catch_up: true, schedule_input: {a: '${ tick }'}",
    ],
    ["type: batch, source: {items: [1]}, queue: q, priority: 1, schedule: '0 2 * * *', rate_limit: {max: 20000}"],
  ])("may be %s", (...tasks) => {
    expect(said(...tasks)).toEqual([]);
  });

  test.each([
    [
      ["queue: default, concurrency: 2"],
      'wrong-value [0].concurrency: no limit of the default queue, in which all runs begin that name none, got "concurrency"',
    ],
    [
      ["queue: q, concurrency: 2", "queue: q, rate_limit: {max: 2}"],
      "wrong-value [1].rate_limit: the limits that t0 gives queue q, got others",
    ],
    [
      ["concurrency: 2", "queue: t0, concurrency: 3"],
      "wrong-value [1].concurrency: the limits that t0 gives queue t0, got others",
    ],
    [["rate_limit: {max: 20000}"], "out-of-range [0].rate_limit.max: at most 10000 runs, got 20000"],
    [["rate_limit: {max: 2, window: 25h}"], "out-of-range [0].rate_limit.window: at most 24h, got 90000000 ms"],
    [["queue_key: 'a.('"], 'bad-expression [0].queue_key: a JSONata expression, got "a.("'],
    [["schedule_input: {}"], "misplaced-key [0].schedule_input: `schedule_input` beside a schedule, got no schedule"],
    [
      ["schedule: '0 2 * * *', schedule_input: 5"],
      "wrong-type [0].schedule_input: a mapping of what its runs are given, got 5",
    ],
    [
      ["schedule: '0 2 * * *', schedule_input: {a: '${ tick.( }'}"],
      'bad-expression [0].schedule_input.a: a JSONata expression, got " tick.( "',
    ],
    [
      ["type: batch, source: {items: [1]}, queue_key: input.a"],
      "misplaced-key [0].queue_key: `queue_key` only with type workflow, got type batch",
    ],
  ])("is not %s", (tasks, message) => {
    expect(said(...tasks)).toEqual([message]);
  });
});
