/**
 * Bytes to a tree with places. The file is a stranger's: every bound is checked before the work it bounds, and nothing
 * but mappings with text keys, lists and scalars leaves this file. What is refused: more than 1 MiB, bytes that are not
 * UTF-8 text, more than one document, YAML other than 1.2, tags, merge keys, duplicate keys, tabs as indentation, more
 * than 50 alias expansions, nesting beyond 64, and the keys through which a prototype could be reached.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  Parser,
  type YAMLError,
} from "yaml";

import { type Diagnostic, type DiagnosticCode, printable, RefusedError, shown } from "../diagnostics.js";
import type { Node, Path, Place } from "./node.js";
import { pathText } from "./node.js";

export const CONFIG_MAX_BYTES = 1_048_576;
const ALIAS_MAX_EXPANSIONS = 50;
const MAX_DEPTH = 64;
const MAX_REPORTED = 20;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/** Throws RefusedError with everything that is wrong with the file as YAML. */
export function loadConfig(bytes: Uint8Array, file: string): Node {
  const refuse = (code: DiagnosticCode, place: Place, expected: string, got: string, hint?: string): never => {
    throw new RefusedError([diagnostic(code, place, "", expected, got, hint)]);
  };
  const diagnostic = (
    code: DiagnosticCode,
    { line, column }: Place,
    key: string,
    expected: string,
    got: string,
    hint?: string,
  ): Diagnostic => ({
    severity: "error",
    code,
    file,
    line,
    column,
    key,
    expected,
    got,
    ...(hint === undefined ? {} : { hint }),
  });

  const top: Place = { line: 1, column: 1 };
  if (bytes.length > CONFIG_MAX_BYTES) {
    refuse("file-too-large", top, "at most 1 MiB (1048576 bytes)", `${bytes.length} bytes`);
  }
  const text = decode(bytes);
  if (typeof text !== "string") {
    return refuse(
      "not-utf8",
      placeAt(bytes, text.offset),
      "UTF-8 text",
      "bytes that are not",
      "save the file as UTF-8",
    );
  }
  const control = CONTROL.exec(text);
  if (control !== null) {
    const place = placeAt(Buffer.from(text), Buffer.byteLength(text.slice(0, control.index)));
    refuse("binary-file", place, "a text file", `a control character (${codeShown(control[0])})`);
  }

  const lines = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? top : { line, column: col };
  };

  const documents = compose(text, lines, (offset) =>
    refuse("yaml-depth", placeOf(offset), `at most ${MAX_DEPTH} levels of nesting`, "more"),
  );
  const document = documents[0];
  if (document === undefined) return refuse("empty-file", top, EXPECTED_BLOCKS, "an empty file");

  const syntax = documents
    .flatMap((one) => one.errors)
    .map((error) => {
      const [code, expected, got, hint] = describe(error, text);
      return diagnostic(code, placeOf(error.pos[0]), "", expected, got, hint);
    });
  const second = documents[1];
  if (syntax.length === 0 && second !== undefined) {
    const place = placeOf(second.contents?.range?.[0] ?? second.range[0]);
    refuse("yaml-documents", place, "one YAML document", "several of them", "remove the `---` lines");
  }
  if (syntax.length > 0) throw new RefusedError(syntax.slice(0, MAX_REPORTED));
  if (document.directives.yaml.version !== "1.2") {
    refuse(
      "yaml-version",
      top,
      "YAML 1.2",
      `a %YAML ${document.directives.yaml.version} directive`,
      "remove the directive",
    );
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return refuse("empty-file", top, EXPECTED_BLOCKS, "a file with nothing in it");
  }

  const found: Diagnostic[] = [];
  let expansions = 0;
  let tooMany = false;

  const convert = (node: ParsedNode | null, path: Path, at: Place, depth: number): Node | null => {
    const place = node === null ? at : placeOf(node.range[0]);
    const report = (code: DiagnosticCode, where: Place, expected: string, got: string, hint?: string): null => {
      found.push(diagnostic(code, where, pathText(path), expected, got, hint));
      return null;
    };
    if (node === null) return { kind: "scalar", value: null, ...place };
    if (depth > MAX_DEPTH) return report("yaml-depth", place, `at most ${MAX_DEPTH} levels of nesting`, "more");
    if (isAlias(node)) {
      expansions += 1;
      if (tooMany) return null;
      if (expansions > ALIAS_MAX_EXPANSIONS) {
        tooMany = true;
        return report("yaml-aliases", place, `at most ${ALIAS_MAX_EXPANSIONS} expansions of aliases`, "more");
      }
      const target = node.resolve(document) as ParsedNode | undefined;
      if (target === undefined) return report("yaml-syntax", place, "an anchor that stands before", `*${node.source}`);
      return convert(target, path, place, depth + 1);
    }
    if (node.tag !== undefined)
      return report("yaml-tag", place, "no tag", shown(node.tag), "remove it; the schema decides the type");
    if (isScalar(node)) return scalar(node.value, place, report);
    if (isSeq(node)) {
      const items = node.items.map((item, i) => convert(item as ParsedNode | null, [...path, i], place, depth + 1));
      return { kind: "list", items: items.filter((item) => item !== null), ...place };
    }
    if (!isMap(node)) return report("yaml-syntax", place, "a mapping, a list or a scalar", "something else");
    const entries = new Map<string, { key: Place; value: Node }>();
    for (const pair of node.items) {
      const key = pair.key as ParsedNode | null;
      const keyPlace = key === null ? place : placeOf(key.range[0]);
      if (!isScalar(key) || typeof key.value !== "string" || key.tag !== undefined) {
        report("wrong-type", keyPlace, "a key that is text", keyShown(key), "write the key in quotes");
        continue;
      }
      const name = key.value;
      const keyPath = [...path, name];
      if (FORBIDDEN_KEYS.has(name)) {
        found.push(diagnostic("forbidden-key", keyPlace, pathText(keyPath), "another key", `\`${name}\``, "remove it"));
        continue;
      }
      if (name === "<<") {
        const hint = "repeat the keys; merge keys are not YAML 1.2";
        found.push(diagnostic("yaml-merge-key", keyPlace, pathText(keyPath), "no merge key", "`<<`", hint));
        continue;
      }
      if (entries.has(name)) {
        found.push(
          diagnostic("duplicate-key", keyPlace, pathText(keyPath), "each key once", shown(name), "remove one"),
        );
        continue;
      }
      const value = convert(pair.value as ParsedNode | null, keyPath, keyPlace, depth + 1);
      if (value !== null) entries.set(name, { key: keyPlace, value });
    }
    return { kind: "map", entries, ...place };
  };

  const root = convert(document.contents, [], top, 0);
  if (found.length > 0) throw new RefusedError(found.slice(0, MAX_REPORTED));
  if (root === null || root.kind !== "map") {
    return refuse("wrong-type", root ?? top, EXPECTED_BLOCKS, root?.kind === "list" ? "a list" : shown(root?.value));
  }
  if (root.entries.size === 0) refuse("empty-file", root, EXPECTED_BLOCKS, "an empty mapping");
  return root;
}

const EXPECTED_BLOCKS = "a mapping of blocks such as `session:`";

type Report = (code: DiagnosticCode, where: Place, expected: string, got: string, hint?: string) => null;

function scalar(value: unknown, place: Place, report: Report): Node | null {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return report("wrong-value", place, "a finite number", String(value));
  }
  if (typeof value === "string" && /[\ud800-\udfff]/u.test(value)) {
    return report("wrong-value", place, "text of whole characters", "half a surrogate pair");
  }
  // Written as escapes; as they are they were refused with the bytes.
  const control = typeof value === "string" ? CONTROL.exec(value)?.[0] : undefined;
  if (control !== undefined) {
    return report("wrong-value", place, "text without control characters", `one with ${codeShown(control)}`);
  }
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return { kind: "scalar", value, ...place };
  }
  return report("wrong-type", place, "text, a number, true or false", typeof value);
}

const codeShown = (character: string): string =>
  `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

const keyShown = (key: ParsedNode | null): string =>
  isScalar(key) ? shown(key.value) : "a mapping, list or alias as a key";

function decode(bytes: Uint8Array): string | { offset: number } {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch {
    return { offset: firstInvalid(bytes) };
  }
}

/** The first byte that does not start or continue a character: halving finds the longest prefix that decodes. */
function firstInvalid(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      // `stream` lets a prefix end inside a character.
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return good;
}

function placeAt(bytes: Uint8Array, offset: number): Place {
  const before = bytes.subarray(0, offset);
  const start = before.lastIndexOf(0x0a) + 1;
  const line = before.reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 1);
  return { line, column: new TextDecoder().decode(before.subarray(start)).length + 1 };
}

/** All documents of the text. The composer recurses, so the depth of the parse tree is bounded before it gets to it. */
function compose(text: string, lines: LineCounter, tooDeep: (offset: number) => never): Document.Parsed[] {
  const parser = new Parser(lines.addNewLine);
  // The parser's own search for duplicate keys compares each with each.
  const options = { version: "1.2", schema: "core", merge: false, prettyErrors: false, uniqueKeys: false } as const;
  const composer = new Composer(options);
  const tokens: CST.Token[] = [];
  let documents = 0;
  for (const token of parser.parse(text)) {
    boundDepth(token, tooDeep);
    tokens.push(token);
    if (token.type === "document") documents += 1;
    // Two are enough to refuse them.
    if (documents > 1) break;
  }
  return [...composer.compose(tokens)];
}

function boundDepth(root: CST.Token, tooDeep: (offset: number) => never): void {
  const pending: [CST.Token, number][] = [[root, 0]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [token, depth] = next;
    if (depth > MAX_DEPTH) tooDeep(token.offset);
    if (token.type === "document" && token.value !== undefined) pending.push([token.value, depth]);
    if (!("items" in token)) continue;
    for (const item of token.items) {
      if (item.key) pending.push([item.key, depth + 1]);
      if (item.value) pending.push([item.value, depth + 1]);
    }
  }
}

/** The parser's errors in our words, as code, expected, got, hint. */
function describe(error: YAMLError, text: string): [DiagnosticCode, string, string, string?] {
  const source = text.slice(error.pos[0], Math.min(error.pos[1], error.pos[0] + 40)).split("\n", 1)[0] ?? "";
  if (error.code === "TAB_AS_INDENT") return ["yaml-tab", "spaces as indentation", "a tab", "replace tabs by spaces"];
  if (error.code === "TAG_RESOLVE_FAILED") return ["yaml-tag", "no tag", shown(source), "remove it"];
  const message = printable(error.message.split("\n", 1)[0] ?? "").replace(/\.$/, "");
  return ["yaml-syntax", "YAML 1.2", `${shown(source)} (${message})`];
}
