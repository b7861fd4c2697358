import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, it } from "vitest";

/** What a user's service compiles, and what it does not: programs of their own, as a declaration holds for the whole of one. */
const HEAD = `
import "@clean-arch/runtime/sessions/express";
import "@clean-arch/runtime/sessions/fastify";
import type { Request } from "express";
import type { FastifyRequest } from "fastify";
declare const fastify: FastifyRequest;
declare const express: Request;
`;

interface Case {
  readonly what: string;
  readonly source: string;
  /** Codes of the compiler's errors. Default none. */
  readonly errors?: readonly number[];
}

const UNDECLARED: readonly Case[] = [
  {
    what: "any field",
    source: 'fastify.session.set("a", [1]); const a: unknown = express.session.get("b"); export { a };',
  },
  { what: "a field that is no JSON", source: 'fastify.session.set("a", () => 1);', errors: [2345] },
];

const DECLARED: readonly Case[] = [
  {
    what: "the declaration itself",
    source: `declare module "@clean-arch/runtime/sessions" {
      interface SessionData { cart: { items: string[] }; locale: "en" | "zh" }
    }`,
  },
  {
    what: "fields with their types",
    source: `for (const session of [fastify.session, express.session]) {
      session.get("cart")?.items.push("lamp");
      session.set("locale", "zh");
      void session.update((fields) => ({ ...fields, locale: fields.locale ?? "en" }));
    }`,
  },
  { what: "a field that is not declared", source: 'express.session.get("cat");', errors: [2345] },
  { what: "a value of another type", source: 'fastify.session.set("locale", "de");', errors: [2345] },
  { what: "a field that may be missing", source: 'fastify.session.get("cart").items;', errors: [2532] },
  { what: "another session in its place", source: "fastify.session = express.session;", errors: [2540] },
];

it.each([
  ["no fields are declared", UNDECLARED],
  ["fields are declared", DECLARED],
])("where %s, the types take what fits and refuse the rest", { timeout: 120_000 }, (_, cases) => {
  const folder = mkdtempSync(join(tmpdir(), "session-fields-"));
  try {
    symlinkSync(fileURLToPath(new URL("../../../../../node_modules", import.meta.url)), join(folder, "node_modules"));
    const files = cases.map(({ source }, n) => {
      const file = join(folder, `case-${n}.mts`);
      writeFileSync(file, HEAD + source);
      return file;
    });
    const program = ts.createProgram(files, {
      ...{ strict: true, noEmit: true, skipLibCheck: true, exactOptionalPropertyTypes: true },
      ...{ target: ts.ScriptTarget.ES2023, lib: ["lib.es2023.d.ts", "lib.es2024.string.d.ts"], types: ["node"] },
      ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
      ...{ customConditions: ["source"] },
    });
    const found = cases.map(({ what }, n) => {
      const source = program.getSourceFile(files[n] ?? "");
      return { what, errors: ts.getPreEmitDiagnostics(program, source).map(({ code }) => code) };
    });
    expect(found).toEqual(cases.map(({ what, errors = [] }) => ({ what, errors })));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
