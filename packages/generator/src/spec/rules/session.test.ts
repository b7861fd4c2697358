import { describe, expect, test } from "vitest";
import { diagnosticsOf } from "../../fixture.test.support.js";

const found = (text: string): string[] =>
  diagnosticsOf(text).map(({ line, column, severity, code }) => `${line}:${column} ${severity} ${code}`);

describe("of the exchange of tokens", () => {
  test.each([
    ["{period: 15m}", []],
    ["{period: 15m, grace_period: 1m}", []],
    ["{grace_period: 2h}", []],
    ["{period: 1m, grace_period: 1m}", ["1:48 error out-of-range"]],
    // The default grace is as wrong, and is not written: the block is pointed at.
    ["{period: 20}", ["1:21 error out-of-range"]],
    ["{period: 24h}", ["1:30 warning out-of-range"]],
    ["{period: 0}", ["1:30 error out-of-range"]],
    ["{period: never}", ["1:30 error wrong-type"]],
  ])("%s", (rotation, expected) => {
    expect(found(`session: {rotation: ${rotation}}`)).toEqual(expected);
  });
});

test.each([
  ["session: {limits: {per_subject: 0}}", ["1:33 error out-of-range"]],
  ["session: {limits: {per_subject: 3, policy: refuse}}", ["1:44 error wrong-value"]],
  ["session: {limits: {per_subject: 3, policy: deny}}", []],
  ["session: {context: {encryption: true}}", ["1:33 error wrong-type"]],
  ["session: {context: {encryption: {enabled: true}}}", []],
  ["session: {context: {prefix: '{shop}:'}}", []],
  ["session: {context: {prefix: 'shop}:'}}", ["1:29 error wrong-value"]],
  ["session: {context: {prefix: '{}:'}}", ["1:29 error wrong-value"]],
  ["session: {context: {prefix: '{a}{b}'}}", ["1:29 error wrong-value"]],
  // A key has no place in a file.
  ["session: {context: {encryption: {enabled: true, keys: 'a:b'}}}", ["1:49 error unknown-key"]],
])("%s", (text, expected) => {
  expect(found(text)).toEqual(expected);
});
