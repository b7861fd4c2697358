import { parseExpression } from "@babel/parser";
import { describe, expect, test } from "vitest";

import { commentText, literal } from "./emit.js";

const hostile = [
  "`",
  "${process.exit()}",
  "\u2028",
  "\u2029",
  "*/",
  "\n",
  "\r\n",
  '"',
  "'",
  "\\",
  "</script>",
  "\u202e",
  "\u0000",
  "a\\u0022",
];

describe("a literal", () => {
  test.each(hostile)("of %j is one string and means the same", (text) => {
    const source = literal(`x${text}y`);
    expect(source).not.toMatch(/[\u2028\u2029\u202e\n\r]/);
    const node = parseExpression(source);
    expect(node.type).toBe("StringLiteral");
    expect((node as { value?: unknown }).value).toBe(`x${text}y`);
  });

  test("of a mapping with __proto__ does not set a prototype", () => {
    const value = JSON.parse('{"a": {"__proto__": {"polluted": true}}, "b": "__proto__"}');
    const read = new Function(`return (${literal(value)})`)();
    expect(Object.getPrototypeOf(read.a)).toBe(Object.prototype);
    expect(Object.hasOwn(read.a, "__proto__")).toBe(true);
    expect(read.b).toBe("__proto__");
  });
});

describe("the text of a comment", () => {
  test.each(hostile)("with %j stays on its line and inside", (text) => {
    const comment = commentText(`x${text}*/${text}y`);
    expect(comment).not.toContain("*/");
    expect(comment).not.toMatch(/[\n\r\u2028\u2029\u202e]/);
  });

  test("cannot close a comment by what is taken out of it", () => {
    expect(commentText("*\u200b/")).not.toContain("*/");
  });
});
