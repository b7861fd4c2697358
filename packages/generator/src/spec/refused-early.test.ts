import { describe, expect, test } from "vitest";

import { diagnosticsOf } from "../fixture.test.support.js";

const stage = "{name: a, service: s, endpoint: /a}";
const task = (body: string): string => `long_running:\n  tasks:\n    - name: t\n${body.replace(/^/gm, "      ")}\n`;
const entityOf = (...fields: string[]) =>
  `domain:\n  entities:\n    - name: Order\n      fields:\n${fields.map((field) => `        - {${field}}\n`).join("")}`;

describe("what a service would refuse at its start, or a database at its first table, is refused here", () => {
  const long = "a".repeat(64);
  test.each([
    ["domain: {entities: [{name: SqliteThing, fields: [{name: a, type: text}]}]}", ["1:28 reserved-name"]],
    ["domain: {entities: [{name: CleanArchRun, fields: [{name: a, type: text}]}]}", ["1:28 reserved-name"]],
    [`domain: {entities: [{name: ${long}, fields: [{name: a, type: text}]}]}`, ["1:28 reserved-name"]],
    [
      entityOf(
        ...["xmin", "xmax", "cmin", "cmax", "ctid", "tableoid", "oid"].map((name) => `name: ${name}, type: text`),
      ),
      [5, 6, 7, 8, 9, 10, 11].map((line) => `${line}:18 reserved-name`),
    ],
    [entityOf(`name: ${long}, type: text`), ["5:18 reserved-name"]],
    [entityOf("name: a_1, type: text", "name: a1, type: text"), ["6:18 duplicate-name"]],
    [entityOf("name: a, type: bigint, max: '9223372036854775808'"), ["5:40 wrong-value"]],
    [entityOf("name: a, type: bigint, min: '-9223372036854775808', max: '9223372036854775807'"), []],
    [entityOf("name: a, type: bigint, min: -9223372036854775808"), ["5:40 wrong-value"]],
    [entityOf("name: a, type: bigint, default: '-9223372036854775809'"), ["5:44 bad-default"]],
    [entityOf("name: a, type: integer, max: '99999999999999999999'"), ["5:41 wrong-value"]],
    [entityOf("name: a, type: decimal, max: 1.0e+300"), ["5:41 wrong-value"]],
    [entityOf("name: a, type: decimal, min: 0.12345678901234567"), ["5:41 wrong-value"]],
    [entityOf('name: a, type: enum, values: [a, "b\\0"]'), ["5:45 wrong-value"]],
    [entityOf('name: a, type: enum, values: [a, "\\ud800"]'), ["5:45 wrong-value"]],
    [entityOf("name: a, type: string, pattern: '^(a+)+$'"), ["5:44 bad-pattern"]],
    [entityOf("name: a, type: string, pattern: '^\\-$'"), ["5:44 bad-pattern"]],
    [entityOf("name: a, type: string, pattern: '^[a-z]+$', default: A1"), ["5:65 bad-default"]],
    [entityOf("name: a, type: string, unique: true, min_length: 600"), ["5:61 out-of-range"]],
    [entityOf("name: a, type: timestamp, default: '2026-01-31T12:00Z'"), ["5:47 bad-default"]],
    [entityOf("name: a, type: json, required: true, default: null"), ["5:58 bad-default"]],
    ["session: {context: {ttl: 172800}}", ["1:26 out-of-range"]],
    ["session: {recovery: {initial_delay: 2m}}", ["1:37 out-of-range"]],
    ["session: {recovery: {lease: 500ms, max_delay: 0}}", ["1:29 out-of-range", "1:47 out-of-range"]],
    ["session: {context: {prefix: ''}}", ["1:29 out-of-range"]],
    [`services: {s: {transport: local, url: 'http://x'}}\n${task(`stages: [${stage}]`)}`, ["1:34 misplaced-key"]],
    [
      `services: {s: {url: 'http://x', headers: {X-A: \u00e9, x-a: b, accept: c}}}\n${task(`stages: [${stage}]`)}`,
      ["1:48 bad-header", "1:51 duplicate-name", "1:59 bad-header"],
    ],
    [
      task("stages: [{name: a, service: a_b, endpoint: /a}, {name: b, service: aB, endpoint: /a}]"),
      ["4:74 duplicate-name"],
    ],
    [task("stages: [{name: a, service: toString, endpoint: /a}]"), ["4:35 reserved-name"]],
    [
      `services: {s: {transport: local}}\n${task("type: batch\nsource: {service: s, endpoint: /a-b}\nstages: [{name: a, service: s, endpoint: /a_b}]")}`,
      ["6:38 duplicate-name"],
    ],
    [
      `services: {s: {transport: local}}\n${task(`stages: [{name: a, service: s, endpoint: /${long.repeat(4)}}]`)}`,
      ["5:48 bad-endpoint"],
    ],
    ["session: {context: {storage: postgres}}", ["1:30 not-available"]],
    ["project: {version: 1.0.0-a..b}", ["1:20 wrong-value"]],
    ['project: {description: "\\e[31m"}', ["1:24 wrong-value"]],
  ])("%j", (text, expected) => {
    const found = diagnosticsOf(text).map(({ line, column, code }) => `${line}:${column} ${code}`);
    expect(found).toEqual(expected);
  });
});
