import { describe, expect, test } from "vitest";
import { diagnosticsOf } from "../../fixture.test.support.js";

const CALL = "{name: a, service: s, endpoint: /a}";
const OTHER = `    - {name: other, stages: [${CALL}]}\n`;

const said = (stages: string, more = ""): string[] =>
  diagnosticsOf(`long_running:\n  tasks:\n    - name: t\n      stages: [${stages}]\n${more}${OTHER}`).map(
    ({ severity, code, key, expected, got }) =>
      `${severity} ${code} ${key.replace("long_running.tasks[0].", "")}: expected ${expected}, got ${got}`,
  );

describe("a stage", () => {
  test.each([
    "{name: nap, sleep: 30s}",
    '{name: nap, sleep: "${ input.until }", when: input.tired}',
    "{name: go, wait_for: approved.by-both}",
    "{name: go, wait_for: approved, timeout: 30s, on_timeout: refuse, pivot: true}",
    "{name: run, saga: other}",
    '{name: run, saga: other, input: {id: "${ input.id }"}, when: input.deep}',
    "{parallel: [{name: nap, sleep: 30s}, {name: go, wait_for: approved}, {name: run, saga: other}]}",
  ])("may be %s", (stage) => {
    expect(said(stage)).toEqual([]);
  });

  test.each([
    [
      "{name: go, wait_for: x, sleep: 5}",
      "error misplaced-key stages[0].wait_for: expected one of service, sleep, wait_for, saga in a stage, got sleep and wait_for",
    ],
    [
      "{name: nap, sleep: 5, timeout: 5}",
      "error misplaced-key stages[0].timeout: expected `timeout` beside service, got a stage with sleep",
    ],
    [
      "{name: nap, sleep: 5, concurrency: 5}",
      "error misplaced-key stages[0].concurrency: expected `concurrency` beside map, got no map",
    ],
    [
      "{name: run, saga: other, retry: {max_attempts: 2}}",
      "error misplaced-key stages[0].retry: expected `retry` beside service, got a stage with saga",
    ],
    [
      "{name: go, wait_for: x, input: input.a}",
      "error misplaced-key stages[0].input: expected `input` beside service, got a stage with wait_for",
    ],
    [
      "{name: a, service: s, endpoint: /a, on_timeout: refuse}",
      "error misplaced-key stages[0].on_timeout: expected `on_timeout` beside wait_for, got a stage with service",
    ],
    [
      "{name: go, wait_for: x, on_timeout: refuse}",
      "error misplaced-key stages[0].on_timeout: expected `on_timeout` beside a timeout, got no timeout",
    ],
    [
      '{name: nap, sleep: "in ${ 5 }"}',
      'error bad-expression stages[0].sleep: expected all of it one `${ expression }`, or plain text, got "in ${ 5 }"',
    ],
    [
      '{name: nap, sleep: "${ a.( }"}',
      'error bad-expression stages[0].sleep: expected a JSONata expression, got " a.( "',
    ],
    [
      "{name: go, wait_for: 1st}",
      'error wrong-value stages[0].wait_for: expected text like ^[A-Za-z][A-Za-z0-9_.-]*$, got "1st"',
    ],
    [
      "{name: run, saga: nobody}",
      'error wrong-value stages[0].saga: expected a workflow task of this config, got "nobody"',
    ],
  ])("is not %s", (stage, message) => {
    expect(said(stage)).toEqual([message]);
  });

  test("that calls nothing is not undone by a call", () => {
    const undone = (stage: string) => said(stage, "      compensation: [{stage: x, action: undo, service: s}]\n");
    expect(undone("{name: x, saga: other}")).toEqual([
      'error misplaced-key compensation[0].stage: expected a stage that calls a service, got "x", which has saga',
    ]);
    expect(undone("{name: x, service: s, endpoint: /x}")).toEqual([]);
  });

  test("runs no batch, and none of those who run it", () => {
    const batch = `    - {name: b, type: batch, source: {items: [1]}, stages: [${CALL}]}\n`;
    expect(said("{name: run, saga: b}", batch)).toEqual([
      'error wrong-value stages[0].saga: expected a workflow task of this config, got "b"',
    ]);
    const back = "    - {name: u, stages: [{parallel: [{name: run, saga: t}]}]}\n";
    expect(said("{name: run, saga: u}", back)).toEqual([
      "error saga-cycle long_running.tasks[1].stages[0].parallel[0].saga: expected child sagas without a cycle, got t -> u -> t",
    ]);
  });

  test("that waits longer than the task has is warned of", () => {
    expect(said("{parallel: [{name: nap, sleep: 200}, {name: go, wait_for: x, timeout: 310}]}")).toEqual([
      "warning timeout-exceeded stages: expected sleeps and waits within the timeout (300 s), got 310 s",
    ]);
  });
});
