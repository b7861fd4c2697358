import { describe, expect, it } from "vitest";
import { RuntimeError } from "../errors.js";
import { inputExpression, jsonataExpression } from "./expression.js";

const NOON = Date.UTC(2026, 0, 1, 12);

function evaluate(source: string, input: unknown = {}): Promise<unknown> {
  const scope = { input: input as null, outputs: {}, context: {}, now: NOON };
  return Promise.resolve(jsonataExpression(source, "s.a.when").evaluate(scope));
}

describe("JSONata within bounds", () => {
  it.each([
    ["input.a[", /s\.a\.when: expected a JSONata expression, got .*\(character 8\)/],
    ["$eval('1')", /no \$eval/],
    ["input.list ~> $shuffle", /no \$shuffle/],
    ["($draw := $random; $draw())", /no \$random/],
    [`"${"x".repeat(10_001)}"`, /at most 10000 characters/],
    ["(".repeat(5_000), /expected a JSONata expression/],
  ])("refuses %j where it is declared", (source, message) => {
    expect(() => jsonataExpression(source, "s.a.when")).toThrow(RuntimeError);
    expect(() => jsonataExpression(source, "s.a.when")).toThrow(message);
  });

  it.each([
    ["calls itself for ever", "($f := function() { $f() + 1 }; $f())", /Stack overflow/],
    ["loops for ever", "($f := function() { $f() }; $f())", /steps of evaluation|timeout/],
    ["makes a list without end", "[1..10000000]", /sequence length/],
    ["makes a text without end", "($f := function($s) { $f($s & $s) }; $f('xx'))", /texts of at most/],
    ["pads a text without end", "$pad('x', 1000000000)", /texts of at most/],
    ["matches a pattern that backtracks without end", "$match(input, /^(a+)+$/)", /within 200 ms/],
    ["fails", "$error('no such luck')", /no such luck/],
  ])("ends an expression that %s", async (_, source, message) => {
    await expect(evaluate(source, `${"a".repeat(40)}b`)).rejects.toThrow(message);
  });

  it("tells the store's time, and finds nothing as undefined", async () => {
    expect(await evaluate("$millis()")).toBe(NOON);
    expect(await evaluate("$now()")).toBe("2026-01-01T12:00:00.000Z");
    expect(await evaluate("$now('[Y0001]-[M01]-[D01]')")).toBe("2026-01-01");
    expect(await evaluate("input.nothing.there")).toBeUndefined();
    expect(await evaluate("input.constructor")).toBeUndefined();
  });

  it("does what its functions are for", async () => {
    expect(await evaluate("$replace(input, /l+/, 'L') & $pad('', -3, '-') & $pad('é', 3)", "hello")).toBe("heLo---é  ");
    expect(
      await evaluate("input.lines.(sku & ':' & $string(qty))", {
        lines: [
          { sku: "a", qty: 1 },
          { sku: "b", qty: 2 },
        ],
      }),
    ).toEqual(expect.arrayContaining(["a:1", "b:2"]));
  });

  it("evaluates one compiled expression many times at once", async () => {
    const expression = jsonataExpression("input & '-' & $string($millis())", "k");
    const scopes = [1, 2, 3].map((n) => ({ input: `n${n}`, outputs: {}, context: {}, now: n }));
    expect(await Promise.all(scopes.map((scope) => expression.evaluate(scope)))).toEqual(["n1-1", "n2-2", "n3-3"]);
  });
});

describe("an input template", () => {
  const scope = { input: { a: 1 }, outputs: { b: { c: 2 } }, context: { d: 3 }, now: NOON };

  it("fills what stands in braces and leaves the rest as it is", async () => {
    const template = { a: "${ input.a }", plain: "text", nested: [{ c: "${outputs.b.c}" }, 4], gone: "${ input.x }" };
    const filled = await inputExpression(template, "k").evaluate(scope);
    expect(JSON.parse(JSON.stringify(filled))).toEqual({ a: 1, plain: "text", nested: [{ c: 2 }, 4] });
  });

  it("takes a text as one expression", async () => {
    expect(await inputExpression("context.d + 1", "k").evaluate(scope)).toBe(4);
    expect(await inputExpression("${ context.d + 1 }", "k").evaluate(scope)).toBe(4);
  });

  it("refuses text around braces, and names where", () => {
    expect(() => inputExpression({ a: ["id-${ input.a }"] }, "s.a.input")).toThrow(
      /s\.a\.input\.a\[0\] to be all of one/,
    );
    expect(() => inputExpression({ a: "${ input. }" }, "s.a.input")).toThrow(/^s\.a\.input\.a: expected a JSONata/);
  });
});
