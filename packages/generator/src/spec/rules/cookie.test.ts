import { describe, expect, test } from "vitest";
import { diagnosticsOf } from "../../fixture.test.support.js";

describe("the name of a cookie that browsers would drop is refused where it is written", () => {
  test.each([
    ["shop", []],
    ["__Host-shop", []],
    ["__Host-Http-shop", []],
    ["__hostess", []],
    ["__Host-", ["bad-name"]],
    ["__host-shop", ["bad-name"]],
    ["__HOST-shop", ["bad-name"]],
    ["__Secure-shop", ["bad-name"]],
    ["__Http-shop", ["bad-name"]],
    ["a b", ["wrong-value"]],
    ["a;b", ["wrong-value"]],
    ["a=b", ["wrong-value"]],
    ["ä", ["wrong-value"]],
    ["", ["out-of-range"]],
    ["x".repeat(101), ["out-of-range"]],
  ])("%j", (name, expected) => {
    const found = diagnosticsOf(`session: {cookie: {name: '${name}'}}`);
    expect(found.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual(
      expected.map((code) => `1:26 ${code}`),
    );
  });
});
