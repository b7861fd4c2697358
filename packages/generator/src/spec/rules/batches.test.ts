import { describe, expect, test } from "vitest";
import { diagnosticsOf } from "../../fixture.test.support.js";

const FIELDS = [
  "{name: label, type: string, required: true}",
  "{name: state, type: enum, values: [open, done]}",
  "{name: size, type: integer}",
  "{name: big, type: bigint}",
  "{name: price, type: decimal}",
  "{name: isOn, type: boolean}",
  "{name: day, type: date}",
  "{name: owner, type: uuid}",
];
const DOMAIN = `domain: {entities: [{name: Widget, fields: [${FIELDS.join(", ")}]}]}\n`;

const said = (source: string, stage = "{name: a, service: s, endpoint: /a}", more = ""): string[] =>
  diagnosticsOf(
    `${DOMAIN}long_running:\n  tasks:\n    - name: t\n      type: batch\n      source: ${source}\n      stages: [${stage}]\n${more}`,
  ).map(
    ({ severity, code, key, expected, got }) =>
      `${severity} ${code} ${key.replace("long_running.tasks[0].", "")}: expected ${expected}, got ${got}`,
  );

describe("the source of a batch", () => {
  test.each([
    "{entity: Widget}",
    "{entity: Widget, where: {label: x, state: done, size: 1, big: '9007199254740993', isOn: true, day: '2026-01-31'}}",
    "{entity: Widget, where: {owner: 0190b2f6-5c8a-7c3e-9d1f-2b6a4e8c0d11, size: null}}",
    "{service: s, endpoint: /pages}",
    "{file: data/a.csv}",
    "{file: data/a.txt, format: csv}",
    "{items: [1, {a: 2}]}",
  ])("may be %s", (source) => {
    expect(said(source)).toEqual([]);
  });

  test.each([
    ["{}", "error wrong-value source: expected one of entity, service, file, items, got none of them"],
    [
      "{entity: Widget, items: [1]}",
      "error wrong-value source: expected one of entity, service, file, items, got entity and items",
    ],
    ["{items: [1], where: {}}", "error misplaced-key source.where: expected `where` beside entity, got no entity"],
    ["{items: [1], format: csv}", "error misplaced-key source.format: expected `format` beside file, got no file"],
    ["{service: s}", "error missing-key source.endpoint: expected the key `endpoint`, got nothing"],
    ["{entity: Gadget}", 'error unknown-entity source.entity: expected an entity of this domain, got "Gadget"'],
    [
      "{entity: Widget, where: [1]}",
      "error wrong-type source.where: expected a mapping of fields to values, got a list",
    ],
    [
      "{entity: Widget, where: {colors: x}}",
      'error unknown-field source.where.colors: expected a field of the entity, got "colors"',
    ],
    [
      "{entity: Widget, where: {id: x}}",
      'error unknown-field source.where.id: expected a field of the entity, got "id"',
    ],
    [
      "{entity: Widget, where: {state: gone}}",
      'error wrong-value source.where.state: expected one of open, done, got "gone"',
    ],
    ["{entity: Widget, where: {size: 1.5}}", "error wrong-value source.where.size: expected a whole number, got 1.5"],
    [
      "{entity: Widget, where: {label: null}}",
      "error wrong-value source.where.label: expected a value, since the field is required, got nothing",
    ],
    [
      "{entity: Widget, where: {price: 1}}",
      "error wrong-value source.where.price: expected a field of another type than decimal, which has several spellings of one value, got 1",
    ],
  ])("is not %s", (source, message) => {
    expect(said(source)).toEqual([message]);
  });
});

describe("an item of a batch", () => {
  test.each([
    ["{parallel: [{name: a, service: s, endpoint: /a}]}", "parallel", "a group"],
    ["{name: a, service: s, endpoint: /a, map: item.lines}", "map", "a list"],
    ["{name: a, sleep: 5}", "sleep", "a timer"],
    ["{name: a, wait_for: x}", "wait_for", "a wait for a signal"],
    ["{name: a, service: s, endpoint: /a, pivot: true}", "pivot", "a pivot"],
  ])("goes through calls one after the other, not %s", (stage, key, got) => {
    expect(said("{items: [1]}", stage)).toEqual([
      `error misplaced-key stages[0].${key}: expected a call of a service in a batch, got ${got}`,
    ]);
  });

  test.each(["chunk_size: 5", "max_failures: 0", "max_failure_ratio: 0.5", "concurrency: 4", "rate_limit: {max: 5}"])(
    "comes in chunks, within a budget, at a rate: %s",
    (key) => {
      expect(said("{items: [1]}", undefined, `      ${key}\n`)).toEqual([]);
    },
  );

  test("is none of a workflow, and no part of one fails", () => {
    expect(said("{items: [1]}", undefined, "      max_failure_ratio: 1.5\n")).toEqual([
      "error out-of-range max_failure_ratio: expected a number from 0 to 1, got 1.5",
    ]);
    expect(said("{items: [1]}", undefined, "      concurrency: 1001\n")).toEqual([
      "error out-of-range concurrency: expected at most 1000 chunks at once, got 1001",
    ]);
    const text = `long_running: {tasks: [{name: t, max_failure_ratio: 1, stages: [{name: a, service: s, endpoint: /a}]}]}`;
    expect(diagnosticsOf(text).map(({ code, key }) => `${code} ${key}`)).toEqual([
      "misplaced-key long_running.tasks[0].max_failure_ratio",
    ]);
  });
});
