import { describe, expect, test } from "vitest";
import { renderText } from "../../diagnostics.js";
import { diagnosticsOf } from "../../fixture.test.support.js";

/** What is said of a stage with these keys, without the place of the stage. */
const said = (keys: string): string[] =>
  diagnosticsOf(`long_running: {tasks: [{name: t, stages: [{name: a, service: s, endpoint: /a,\n ${keys}}]}]}`).map(
    (diagnostic) =>
      renderText(diagnostic)
        .replace(/^config\.yaml:/, "")
        .replace("long_running.tasks[0].stages[0].", ""),
  );

describe("what a stage computes", () => {
  test.each([
    "map: input.lines",
    "map: '[input.lines[qty > 0]]', concurrency: 1000, max_items: 10000, input: '${ item.sku }'",
    "when: input.now, input: {a: ['${ index }', 1, null, {b: plain}], c: '${ $now() }'}",
    "when: $random, input: input.order",
  ])("may be %s", (keys) => {
    expect(said(keys)).toEqual(keys.includes("$random") ? [expect.stringContaining("without $random")] : []);
  });

  test.each([
    [
      "map: input.(",
      '2:7: error bad-expression map: expected a JSONata expression, got "input.("; Expected ")" before end of expression (character 7)',
    ],
    [
      "when: $eval('1')",
      "2:8: error bad-expression when: expected a JSONata expression without $eval, got \"$eval('1')\"; write the expression itself",
    ],
    [
      "concurrency: 2",
      "2:2: error misplaced-key concurrency: expected `concurrency` beside map, got no map; remove it",
    ],
    ["max_items: 9", "2:2: error misplaced-key max_items: expected `max_items` beside map, got no map; remove it"],
    ["map: a, concurrency: 0", "2:23: error out-of-range concurrency: expected a whole number from 1 to 1000, got 0"],
    [
      "map: a, max_items: 10001",
      "2:21: error out-of-range max_items: expected a whole number from 1 to 10000, got 10001",
    ],
    [
      "input: [1]",
      "2:9: error wrong-type input: expected one JSONata expression, or a mapping of what is sent, got a list",
    ],
    [
      "input: {a: ['a ${ b }']}",
      '2:14: error bad-expression input.a[0]: expected all of it one `${ expression }`, or plain text, got "a ${ b }"; join texts inside the braces with &',
    ],
    [
      "input: {c: '${ 1 + }'}",
      '2:13: error bad-expression input.c: expected a JSONata expression, got " 1 + "; Unexpected end of expression (character 5)',
    ],
  ])("is refused at its place as %s", (keys, message) => {
    expect(said(keys)).toEqual([message]);
  });

  test("is as long as the service takes it, and no longer", () => {
    const text = (length: number): string => `input: {a: '\${ "${"x".repeat(length - 4)}" }'}`;
    expect(said(text(10_000))).toEqual([]);
    expect(said(text(10_001))[0]).toMatch(/expected a JSONata expression of at most 10000 characters/);
  });
});
