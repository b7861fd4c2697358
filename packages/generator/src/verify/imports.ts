/**
 * Every way a TypeScript file names another module: import and export from, type-only ones, `import()`, `import x =
 * require()`, `require()`, and `import("x")` in types. Parsed without types and without the compiler, which takes as
 * long to load as all of `verify` may take.
 */
import { parse } from "@babel/parser";

export interface ImportOf {
  readonly specifier: string;
  readonly line: number;
  readonly column: number;
  /** Only types are taken: nothing is loaded at run time. */
  readonly typeOnly: boolean;
}

export interface SourceFile {
  readonly text: string;
  readonly imports: readonly ImportOf[];
  /** Null: parsed. */
  readonly problem: { readonly message: string; readonly line: number; readonly column: number } | null;
}

interface AstNode {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number; readonly column: number } };
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is AstNode =>
  typeof value === "object" && value !== null && typeof (value as AstNode).type === "string";

export function parseSource(path: string, text: string): SourceFile {
  try {
    const jsx = /x$/.test(path) ? (["jsx"] as const) : [];
    const typescript = /\.[cm]?ts$|\.tsx$/.test(path) ? (["typescript"] as const) : [];
    const { program } = parse(text, {
      sourceType: "unambiguous",
      allowReturnOutsideFunction: true,
      plugins: [...typescript, ...jsx, "decorators", "explicitResourceManagement"],
    });
    const imports: ImportOf[] = [];
    collect(program as unknown as AstNode, imports);
    imports.sort((a, b) => a.line - b.line || a.column - b.column);
    return { text, imports, problem: null };
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number; column: number } };
    const place = { line: loc?.line ?? 1, column: (loc?.column ?? 0) + 1 };
    const said =
      error instanceof RangeError ? "an expression nested too deep to read" : message.replace(/ \([0-9:]+\)$/, "");
    return { text, imports: [], problem: { message: said, ...place } };
  }
}

/** Iterative, since an expression may nest deeper than the stack. */
function collect(root: AstNode, imports: ImportOf[]): void {
  const pending: AstNode[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const found = moduleNamed(node);
    if (found !== null && node.loc !== undefined) {
      const { line, column } = node.loc.start;
      imports.push({ ...found, line, column: column + 1 });
    }
    for (const [key, value] of Object.entries(node)) {
      if (key === "loc" || key.endsWith("Comments")) continue;
      if (isNode(value)) pending.push(value);
      else if (Array.isArray(value)) for (const item of value) if (isNode(item)) pending.push(item);
    }
  }
}

function moduleNamed(node: AstNode): { specifier: string; typeOnly: boolean } | null {
  const named = (value: unknown, typeOnly: boolean): { specifier: string; typeOnly: boolean } | null => {
    const specifier = textOf(value);
    return specifier === null ? null : { specifier, typeOnly };
  };
  switch (node.type) {
    case "ImportDeclaration":
      return named(node.source, node.importKind === "type" || allTypes(node, "importKind"));
    case "ExportNamedDeclaration":
      return named(node.source, node.exportKind === "type" || allTypes(node, "exportKind"));
    case "ExportAllDeclaration":
      return named(node.source, node.exportKind === "type");
    case "ImportExpression":
      return named(node.source, false);
    case "TSImportType":
      return named(node.argument, true);
    case "TSImportEqualsDeclaration": {
      const reference = node.moduleReference;
      return isNode(reference) ? named(reference.expression, node.importKind === "type") : null;
    }
    case "CallExpression": {
      const callee = node.callee;
      const [first] = node.arguments as readonly unknown[];
      if (!isNode(callee)) return null;
      if (callee.type === "Import") return named(first, false);
      const isRequire =
        (callee.type === "Identifier" && callee.name === "require") ||
        (callee.type === "MemberExpression" && isNode(callee.object) && callee.object.name === "require");
      return isRequire ? named(first, false) : null;
    }
    default:
      return null;
  }
}

const allTypes = (node: AstNode, key: string): boolean => {
  const specifiers = (node.specifiers ?? []) as readonly AstNode[];
  return specifiers.length > 0 && specifiers.every((one) => one[key] === "type");
};

/** A literal, or a template without a hole. */
function textOf(value: unknown): string | null {
  if (!isNode(value)) return null;
  if (value.type === "StringLiteral") return String(value.value);
  if (value.type === "TSLiteralType") return textOf(value.literal);
  const quasis = value.quasis as readonly { value: { cooked: string | null } }[] | undefined;
  return value.type === "TemplateLiteral" && quasis?.length === 1 ? (quasis[0]?.value.cooked ?? null) : null;
}
