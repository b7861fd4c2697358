import { createRequire } from "node:module";
import { createContext, Script } from "node:vm";
import type jsonata from "jsonata";
import { RuntimeError } from "../errors.js";

/**
 * JSONata within bounds. An expression comes from whoever writes the saga, its data from anybody: so a text is compiled
 * once and refused with its place, and evaluating it ends, whatever the data, in bounded time, depth and memory. What an
 * expression gives is decided by its data and by the time it is told; functions that ask chance, and `$eval`, whose text
 * nobody has checked, are refused.
 */
export type JsonataEvaluation = (document: Readonly<Record<string, unknown>>, now: number) => Promise<unknown>;

const MAX_SOURCE = 10_000;
/** Of one evaluation, in real time: it holds up everything else in the process. */
const MAX_MS = 1_000;
const MAX_REGEX_MS = 200;
/** Nodes of the expression visited. Reached before the time, mostly, and at the same place on every machine. */
const MAX_VISITS = 200_000;
/** Calls within calls. */
const MAX_DEPTH = 500;
const MAX_SEQUENCE = 100_000;
/** Characters of any text on the way. */
const MAX_TEXT = 1_048_576;
const REFUSED: Readonly<Record<string, string>> = {
  eval: "write the expression itself",
  random: "let a step draw the number",
  shuffle: "let a step shuffle the list",
};

/** Error: `definition-invalid`. */
export function compileJsonata(source: string, key: string): JsonataEvaluation {
  const refuse = (message: string): never => {
    throw new RuntimeError("definition-invalid", `${key}: ${message}, in ${JSON.stringify(source.slice(0, 200))}`, {
      key,
    });
  };
  if (source.length > MAX_SOURCE)
    refuse(`expected a JSONata expression of at most ${MAX_SOURCE} characters, got ${source.length}`);
  const expression = parse(source, refuse);
  for (const name of variablesIn(expression.ast()))
    if (Object.hasOwn(REFUSED, name)) refuse(`expected no $${name} in a JSONata expression; ${REFUSED[name]}`);
  bound(expression);
  return async (document, now) => {
    try {
      return await expression.evaluate(document, clockBindings(now));
    } catch (error) {
      throw new Error(sentence(error), { cause: error });
    }
  };
}

// Loading it takes a tenth of a second that processes without expressions need not spend.
const require = createRequire(import.meta.url);
let loaded: typeof jsonata | null = null;

function engine(): typeof jsonata {
  loaded ??= require("jsonata") as typeof jsonata;
  return loaded;
}

function parse(source: string, refuse: (message: string) => never): jsonata.Expression {
  try {
    return engine()(source, {
      timeout: MAX_MS,
      stack: MAX_DEPTH,
      sequence: MAX_SEQUENCE,
      // Its instances are called with `new` alone.
      RegexEngine: BoundedRegExp as unknown as RegExpConstructor,
    });
  } catch (error) {
    return refuse(`expected a JSONata expression, got ${sentence(error)}`);
  }
}

/** Names of the variables that an expression mentions, those of functions included. */
function variablesIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const own = "type" in node && node.type === "variable" && "value" in node ? [String(node.value)] : [];
  return [...own, ...Object.values(node).flatMap(variablesIn)];
}

const ENTRY = Symbol.for("jsonata.__evaluate_entry");
const EXIT = Symbol.for("jsonata.__evaluate_exit");

/** The package's own hooks: called before and after each node, with the frame whose `base` is the evaluation's. */
function bound(expression: jsonata.Expression): void {
  const visits = new WeakMap<object, number>();
  const assign = expression.assign as (name: string | symbol, value: unknown) => void;
  assign(ENTRY, (_node: unknown, _input: unknown, { base }: { readonly base: object }) => {
    const visited = (visits.get(base) ?? 0) + 1;
    if (visited > MAX_VISITS) throw new Error(`expected at most ${MAX_VISITS} steps of evaluation, got more`);
    visits.set(base, visited);
  });
  assign(EXIT, (_node: unknown, _input: unknown, _frame: unknown, result: unknown) => {
    if (typeof result === "string") checkLength(result.length);
  });
  expression.registerFunction("pad", pad, "<s-ns?:s>");
}

function checkLength(length: number): void {
  if (length > MAX_TEXT) throw new Error(`expected texts of at most ${MAX_TEXT} characters, got ${length}`);
}

/** As the package's own, which would build a text of any width before it could be looked at. */
function pad(text: string | undefined, width: number, filler = " "): string | undefined {
  if (text === undefined) return undefined;
  checkLength(Math.abs(width));
  const missing = Math.abs(width) - [...text].length;
  if (missing <= 0) return text;
  const units = [...(filler === "" ? " " : filler)];
  const padding = Array.from({ length: missing }, (_, index) => units[index % units.length]).join("");
  return width > 0 ? text + padding : padding + text;
}

/** `$now` and `$millis` tell the store's time, the same throughout an evaluation. */
function clockBindings(now: number): Record<string, unknown> {
  return {
    millis: () => now,
    now: (picture?: string, zone?: string) =>
      picture === undefined && zone === undefined ? new Date(now).toISOString() : formatted(now, picture, zone),
  };
}

let format: jsonata.Expression | null = null;

function formatted(now: number, picture?: string, zone?: string): Promise<unknown> {
  format ??= engine()("$fromMillis(now, picture, zone)");
  return format.evaluate({ now, picture, zone });
}

const REGEX_CONTEXT = createContext(Object.create(null) as Record<string, unknown>);
const RUN_WORK = new Script("work()");

/** A pattern can take longer than the universe on a short text, and only a watchdog from outside ends it. */
class BoundedRegExp extends RegExp {
  override exec(text: string): RegExpExecArray | null {
    let found: RegExpExecArray | null = null;
    REGEX_CONTEXT["work"] = () => {
      found = super.exec(text);
    };
    try {
      RUN_WORK.runInContext(REGEX_CONTEXT, { timeout: MAX_REGEX_MS });
    } catch (error) {
      throw new Error(`expected /${this.source}/ to be matched within ${MAX_REGEX_MS} ms, got ${sentence(error)}`);
    }
    return found;
  }
}

/** The package throws plain objects. */
function sentence(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error)) return String(error);
  const place = "position" in error && typeof error.position === "number" ? ` (character ${error.position})` : "";
  return `${String(error.message).slice(0, 300)}${place}`;
}
