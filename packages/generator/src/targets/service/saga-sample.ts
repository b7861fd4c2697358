/** For generated tests of sagas: an input, answers and signals made up so that every expression of the saga has what it looks for. */
import jsonata from "jsonata";
import type { JsonValue } from "../../model.js";
import type { BatchModel, CallModel, SagaModel, StageModel } from "../../task-model.js";

export interface SagaSample {
  readonly input: JsonValue;
  /** By stage. */
  readonly answers: Readonly<Record<string, JsonValue>>;
  /** By signal. */
  readonly signals: Readonly<Record<string, JsonValue>>;
}

export interface BatchSample extends Pick<SagaSample, "input" | "answers"> {
  /** Null: the batch has a list of its own. */
  readonly items: readonly JsonValue[] | null;
}

/** An expression is too much for what is made up here; the sentence says which, for the user. */
export interface NoSample {
  readonly missing: string;
}

export function sampleOfSaga({ waves }: Pick<SagaModel, "waves">): SagaSample | NoSample {
  const found = new Found(waves.flatMap((wave) => wave.stages));
  const missing = found.lookAtAll();
  if (missing !== null) return { missing };
  return { input: objectOf(found.input), answers: valuesOf(found.answers), signals: valuesOf(found.signals) };
}

export function sampleOfBatch({ stages, source }: Pick<BatchModel, "stages" | "source">): BatchSample | NoSample {
  const item = newPart();
  const found = new Found(stages, item);
  const missing = found.lookAtAll();
  if (missing !== null) return { missing };
  const items = source.kind === "items" ? null : Array.from({ length: ITEMS }, () => madeOf(item));
  return { input: objectOf(found.input), answers: valuesOf(found.answers), items };
}

/** Of those in which something is looked for. */
function valuesOf(parts: ReadonlyMap<string, Part>): Readonly<Record<string, JsonValue>> {
  const found = [...parts].filter(([, { fields, value, list }]) => fields.size > 0 || value !== undefined || list);
  return Object.fromEntries(found.map(([name, part]) => [name, madeOf(part)]));
}

/** A value that grows with what is looked for in it. */
interface Part {
  readonly fields: Map<string, Part>;
  value?: JsonValue;
  /** It is a list of so many of these. */
  list?: { readonly of: Part; readonly length: number };
}

const newPart = (): Part => ({ fields: new Map() });
const TEXT = "sample";
const ITEMS = 2;
const SLEEP_MS = 1_000;

function objectOf(part: Part): JsonValue {
  return part.fields.size === 0 ? {} : madeOf(part);
}

function madeOf({ fields, value = TEXT, list }: Part): JsonValue {
  if (list !== undefined) return Array.from({ length: list.length }, () => madeOf(list.of));
  return fields.size === 0 ? value : Object.fromEntries([...fields].map(([name, part]) => [name, madeOf(part)]));
}

class Found {
  readonly input = newPart();
  readonly answers = new Map<string, Part>();
  readonly signals = new Map<string, Part>();
  readonly #stages: readonly StageModel[];
  /** Of the batch. */
  readonly #itemOfAll: Part | null;
  /** Of the list that the stage looked at maps over, or of the batch. */
  #item: Part | null = null;

  constructor(stages: readonly StageModel[], item: Part | null = null) {
    this.#stages = stages;
    this.#itemOfAll = item;
  }

  /** Null: all is understood; else what is missing. */
  lookAtAll(): string | null {
    for (const stage of this.#stages) {
      const refused = this.#look(stage);
      if (refused !== null) return `give the sample what ${stage.name.raw} computes ${refused} from`;
    }
    return null;
  }

  /** Null: understood; else the key whose expression is not. */
  #look(stage: StageModel): string | null {
    this.#item = this.#itemOfAll;
    if (stage.when !== null && !this.#understands(stage.when, true)) return "when";
    if (stage.kind === "sleep" && typeof stage.delay === "string" && !this.#understands(bare(stage.delay), SLEEP_MS))
      return "sleep";
    if (stage.kind === "call" && stage.map !== null && !this.#lists(stage.map)) return "map";
    return "input" in stage && !this.#fills(stage.input) ? "input" : null;
  }

  #lists({ over, maxItems }: NonNullable<CallModel["map"]>): boolean {
    const path = pathOf(parsed(over));
    const list = path === null ? null : this.#find(path);
    if (list === null) return false;
    list.list ??= { of: newPart(), length: Math.min(ITEMS, maxItems) };
    this.#item = list.list.of;
    return true;
  }

  #fills(template: JsonValue): boolean {
    if (typeof template === "string") {
      // One expression without braces is a template's whole, texts without them are plain inside one: both may be looked at.
      return !template.includes("${") || this.#understands(bare(template), TEXT);
    }
    if (typeof template !== "object" || template === null) return true;
    return Object.values(template).every((part: JsonValue) => this.#fills(part));
  }

  #understands(source: string, wanted: JsonValue): boolean {
    return this.#visit(parsed(source), wanted);
  }

  /** `wanted`: what a path in this place should give. */
  #visit(node: Node, wanted: JsonValue): boolean {
    const path = pathOf(node);
    if (path !== null) return this.#want(path, wanted);
    switch (node.type) {
      case "string":
      case "number":
      case "value":
        return true;
      case "binary":
        return this.#visitBinary(node);
      case "unary":
        return (node.value === "[" || node.value === "{") && this.#visitAll(node.expressions ?? node.lhs ?? [], TEXT);
      case "condition":
        return (
          this.#visit(nodeOf(node.condition), true) &&
          this.#visit(nodeOf(node.then), wanted) &&
          (node.else === undefined || this.#visit(nodeOf(node.else), wanted))
        );
      case "function":
        return this.#visitCall(node);
      default:
        return false;
    }
  }

  #visitAll(nodes: unknown, wanted: JsonValue): boolean {
    if (Array.isArray(nodes)) return nodes.every((each) => this.#visitAll(each, wanted));
    return this.#visit(nodeOf(nodes), wanted);
  }

  #visitBinary(node: Node): boolean {
    const [left, right] = [nodeOf(node.lhs), nodeOf(node.rhs)];
    const operator = String(node.value);
    if (operator === "and" || operator === "or") return this.#visit(left, true) && this.#visit(right, true);
    if (operator === "&") return this.#visit(left, TEXT) && this.#visit(right, TEXT);
    if (["+", "-", "*", "/", "%"].includes(operator)) return this.#visit(left, 1) && this.#visit(right, 1);
    if (!COMPARED.has(operator)) return false;
    return (
      this.#visit(left, satisfying(operator, literalOf(right))) &&
      this.#visit(right, satisfying(MIRRORED[operator] ?? operator, literalOf(left)))
    );
  }

  #visitCall(node: Node): boolean {
    const args = Array.isArray(node.arguments) ? node.arguments.map(nodeOf) : [];
    const name = String(nodeOf(node.procedure).value);
    const [first] = args;
    if (first === undefined || args.length > 1) return false;
    if (name === "exists") return this.#isThere(first);
    if (name === "boolean") return this.#visit(first, true);
    // What is not to be there is left out.
    if (name === "not") return isExists(first) || this.#visit(first, false);
    return name === "string" && this.#visit(first, TEXT);
  }

  /** Whatever it is: what is done with it elsewhere says that. */
  #isThere(node: Node): boolean {
    const path = pathOf(node);
    return path !== null && (path[0] === "context" || this.#find(path) !== null);
  }

  #want(path: readonly string[], wanted: JsonValue): boolean {
    if (path[0] === "index" || path[0] === "context") return true;
    const part = this.#find(path);
    if (part === null) return false;
    // A whole input stays an object; a whole output is what it is, unless a truth or a number is looked for in it.
    const isWhole = path.length === (path[0] === "outputs" ? 2 : 1);
    if (!isWhole || path[0] === "item" || (path[0] === "outputs" && typeof wanted !== "string")) part.value ??= wanted;
    return true;
  }

  /** Null: nothing can be made up for it. */
  #find([root = "", ...path]: readonly string[]): Part | null {
    if (root === "input") return descend(this.input, path);
    if (root === "item") return this.#item && descend(this.#item, path);
    const [name = "", ...rest] = path;
    const stage = this.#stages.find((each) => each.name.raw === name);
    if (root !== "outputs" || stage === undefined) return null;
    if (stage.kind === "wait") return descend(partOf(this.signals, stage.signal), rest);
    return stage.kind === "call" && stage.map === null ? descend(partOf(this.answers, name), rest) : null;
  }
}

function partOf(parts: Map<string, Part>, name: string): Part {
  const part = parts.get(name) ?? newPart();
  parts.set(name, part);
  return part;
}

function descend(part: Part, [name, ...rest]: readonly string[]): Part {
  return name === undefined ? part : descend(partOf(part.fields, name), rest);
}

const COMPARED: ReadonlySet<string> = new Set(["=", "!=", ">", ">=", "<", "<="]);
const MIRRORED: Readonly<Record<string, string>> = { ">": "<", ">=": "<=", "<": ">", "<=": ">=" };

/** What makes `<path> operator <literal>` true. */
function satisfying(operator: string, literal: JsonValue): JsonValue {
  if (typeof literal !== "number") return operator === "!=" ? TEXT : literal;
  if (operator === ">" || operator === "!=") return literal + 1;
  return operator === "<" ? literal - 1 : literal;
}

/** Two paths are compared as numbers. */
function literalOf({ type, value }: Node): JsonValue {
  const isLiteral = type === "string" || type === "number" || type === "value";
  return isLiteral ? (value as JsonValue) : 1;
}

interface Node {
  readonly type?: unknown;
  readonly value?: unknown;
  readonly [key: string]: unknown;
}

function nodeOf(value: unknown): Node {
  return typeof value === "object" && value !== null ? (value as Node) : {};
}

/** It was parsed when the config was checked. */
function parsed(source: string): Node {
  return nodeOf(jsonata(source).ast());
}

/** `${ expression }` without its braces. */
function bare(text: string): string {
  return /^\s*\$\{([\s\S]*)\}\s*$/.exec(text)?.[1] ?? text;
}

/** Of a path that is names and nothing else; null: it is none. */
function pathOf(node: Node): readonly string[] | null {
  if (node.type !== "path" || !Array.isArray(node.steps)) return null;
  const steps = node.steps.map(nodeOf);
  const plain = steps.every((step) => step.type === "name" && Object.keys(step).every((key) => PLAIN.has(key)));
  return plain ? steps.map(({ value }) => String(value)) : null;
}

const PLAIN: ReadonlySet<string> = new Set(["type", "value", "position"]);

function isExists(node: Node): boolean {
  return node.type === "function" && nodeOf(node.procedure).value === "exists";
}
