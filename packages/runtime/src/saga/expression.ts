import { RuntimeError } from "../errors.js";
import { isObject, type Json } from "../json.js";
import { compileJsonata } from "./jsonata.js";
import type { Expression, ExpressionScope } from "./service-act.js";

/** `${ expression }`, and nothing around it. */
const EMBEDDED = /^\s*\$\{([\s\S]*)\}\s*$/;

/** JSONata over `input`, `outputs` and `context`. Error: `definition-invalid` naming `key` and the place in the text. */
export function jsonataExpression(source: string, key: string): Expression {
  const evaluate = compileJsonata(source, key);
  return { source, evaluate: ({ now, ...document }) => evaluate(document, now) };
}

/**
 * The list that a step maps over. To JSONata one value and a list of one are the same, and a path that finds one gives it
 * bare: it is a list of one again here. Errors: as `jsonataExpression`.
 */
export function listExpression(source: string, key: string): Expression {
  const { evaluate } = jsonataExpression(source, key);
  const asList = (value: unknown): unknown => (Array.isArray(value) || value == null ? value : [value]);
  return { source, evaluate: async (scope) => asList(await evaluate(scope)) };
}

/** A function of the user's, which gives its value at once: what has to be waited for belongs into a step. */
export function functionExpression(compute: (scope: ExpressionScope) => unknown, key: string): Expression {
  return {
    source: null,
    evaluate: (scope) => {
      const value = compute(scope);
      if (value instanceof Promise) {
        value.catch(() => {});
        throw new Error(`expected ${key} to give its value at once, got a promise; do what takes time in a step`);
      }
      return value;
    },
  };
}

/**
 * What a step is sent: one JSONata expression, or any JSON of which texts written `${ expression }` are JSONata. A key whose
 * expression finds nothing is left out. Error: `definition-invalid` naming `key` and the place in the text.
 */
export function inputExpression(template: Json, key: string): Expression {
  if (typeof template === "string") return jsonataExpression(embedded(template, key) ?? template, key);
  const fill = compileTemplate(template, key);
  return { source: JSON.stringify(template), evaluate: fill };
}

/** What is between the braces of `${ ... }`, or null for text without any. */
export function embedded(text: string, key: string): string | null {
  const source = EMBEDDED.exec(text)?.[1];
  if (source !== undefined) return source;
  if (!text.includes("${")) return null;
  throw new RuntimeError(
    "definition-invalid",
    `expected ${key} to be all of one "\${ expression }" or plain text, got ${JSON.stringify(text.slice(0, 80))}; join texts inside the braces with &`,
    { key },
  );
}

type Fill = (scope: ExpressionScope) => unknown;

function compileTemplate(template: Json, key: string): Fill {
  if (typeof template === "string") {
    const source = embedded(template, key);
    return source === null ? () => template : jsonataExpression(source, key).evaluate;
  }
  if (isObject(template)) {
    const members = Object.entries(template).map(
      ([name, value]) => [name, compileTemplate(value, `${key}.${name}`)] as const,
    );
    return async (scope) => {
      const filled: [string, unknown][] = [];
      for (const [name, fill] of members) filled.push([name, await fill(scope)]);
      return Object.fromEntries(filled);
    };
  }
  if (typeof template !== "object" || template === null) return () => template;
  const items = template.map((item, index) => compileTemplate(item, `${key}[${index}]`));
  return async (scope) => {
    const filled: unknown[] = [];
    for (const fill of items) filled.push((await fill(scope)) ?? null);
    return filled;
  };
}
