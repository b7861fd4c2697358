import { describe, expect, test } from "vitest";

import { RefusedError } from "../diagnostics.js";
import { loadConfig } from "./load.js";

const problemsOf = (content: string | Uint8Array): string[] => {
  try {
    loadConfig(typeof content === "string" ? Buffer.from(content) : content, "f.yaml");
    return [];
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return error.diagnostics.map(({ code, line, column }) => `${line}:${column} ${code}`);
  }
};

const doubling = Array.from({ length: 100 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i},*a${i}]`);

const corpus: Record<string, [content: string | Uint8Array, problems: string[]]> = {
  "an empty file": ["", ["1:1 empty-file"]],
  "a file of comments": ["# nothing\n", ["1:1 empty-file"]],
  "an empty mapping": ["{}\n", ["1:1 empty-file"]],
  "a null": ["~\n", ["1:1 empty-file"]],
  "a list": ["- a\n", ["1:1 wrong-type"]],
  "a word": ["hello\n", ["1:1 wrong-type"]],
  "2 MiB": [`a: ${"x".repeat(2 << 20)}`, ["1:1 file-too-large"]],
  "a binary file": [Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), ["1:1 binary-file"]],
  "a zero byte": ["a: 1\nb: \u0000\n", ["2:4 binary-file"]],
  "bytes that are not UTF-8": [Buffer.from([0x61, 0x3a, 0x0a, 0x62, 0x3a, 0x20, 0xff]), ["2:4 not-utf8"]],
  "UTF-16": [Buffer.from("\ufeffa: 1", "utf16le"), ["1:1 not-utf8"]],
  "a tab as indentation": ["session:\n\tsaga: {}\n", ["2:1 yaml-tab"]],
  "a duplicate key": ["a:\n  b: 1\n  b: 2\n", ["3:3 duplicate-key"]],
  "a duplicate key in other quotes": ['a: 1\n"a": 2\n', ["2:1 duplicate-key"]],
  "two documents": ["a: 1\n---\nb: 2\n", ["3:1 yaml-documents"]],
  "YAML 1.1": ["%YAML 1.1\n---\na: yes\n", ["1:1 yaml-version"]],
  "a standard tag": ["a: !!str 1\n", ["1:10 yaml-tag"]],
  "a tag that would construct": ["a: !!js/function 'x'\n", ["1:18 yaml-tag"]],
  "a tag of its own on a mapping": ["a: !foo {b: 1}\n", ["1:9 yaml-tag"]],
  "a merge key": ["x: &a {b: 1}\ny:\n  <<: *a\n", ["3:3 yaml-merge-key"]],
  __proto__: ["a:\n  __proto__: {polluted: true}\n", ["2:3 forbidden-key"]],
  "__proto__ in quotes": ['a: {"__proto__": 1}\n', ["1:5 forbidden-key"]],
  "a key `constructor`": ["constructor: {prototype: {x: 1}}\n", ["1:1 forbidden-key"]],
  "a key `prototype`": ["a: [{prototype: 1}]\n", ["1:6 forbidden-key"]],
  "more than 50 alias expansions": [`a: &a 1\nb: [${"*a,".repeat(60)}]\n`, ["2:155 yaml-aliases"]],
  "a hundred nested aliases": [`a0: &a0 [x,x]\n${doubling.join("\n")}`, ["2:10 yaml-aliases"]],
  "an alias of what is around it": ["a: &x [*x]\n", ["1:7 yaml-depth"]],
  "an alias of nothing": ["a: *nope\n", ["1:4 yaml-syntax"]],
  "200,000 brackets": [`a: ${"[".repeat(200_000)}`, ["1:68 yaml-depth"]],
  "200,000 dashes": [`a:\n${"- ".repeat(200_000)}x`, ["2:129 yaml-depth"]],
  "a bracket that stays open": ["a: [1, 2\nb: 3\n", ["2:1 yaml-syntax"]],
  "a mapping on one line": ["a: b: c\n", ["1:4 yaml-syntax"]],
  infinity: ["a: .inf\n", ["1:4 wrong-value"]],
  "a key that is a number": ["1: a\n", ["1:1 wrong-type"]],
  "a key that is a mapping": ["{a: 1}: b\n", ["1:1 wrong-type"]],
  "half a character": ['a: "\\ud800"\n', ["1:4 wrong-value"]],
  "several at once": [
    "a: !x 1\nb: {__proto__: 1}\nc: .nan\n",
    ["1:7 yaml-tag", "2:5 forbidden-key", "3:4 wrong-value"],
  ],
};

describe("a config is refused as YAML when it is or has", () => {
  test.each(Object.entries(corpus))("%s", (_, [content, problems]) => {
    expect(problemsOf(content)).toEqual(problems);
  });

  test("nothing of it reaches a prototype", () => {
    problemsOf("a: {__proto__: {polluted: true}}\n");
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("a config is read", () => {
  test("with a byte order mark, comments and aliases up to 50", () => {
    const root = loadConfig(Buffer.from(`\ufeff# hello\na: &a [1]\nb: [${"*a,".repeat(50)}]\n`), "f.yaml");
    expect(root.kind === "map" && [...root.entries.keys()]).toEqual(["a", "b"]);
  });

  test("as YAML 1.2: yes and 0o17 are what they are there", () => {
    const root = loadConfig(Buffer.from("a: yes\nb: 0o17\nc: on\n"), "f.yaml");
    const scalars =
      root.kind === "map" ? [...root.entries.values()].map(({ value }) => value.kind === "scalar" && value.value) : [];
    expect(scalars).toEqual(["yes", 15, "on"]);
  });
});
