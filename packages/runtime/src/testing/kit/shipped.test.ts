import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const runtime = resolve(import.meta.dirname, "../../..");
const kit = join(runtime, "src/testing/kit/index.ts");

/** What the file imports, and what that imports: of our own the paths, of others the names. */
function importedBy(entry: string): { readonly own: readonly string[]; readonly others: ReadonlySet<string> } {
  const [own, others] = [new Set<string>([entry]), new Set<string>()];
  for (const file of own) {
    for (const [, from = ""] of readFileSync(file, "utf8").matchAll(/^(?:import|export|\}).*from "([^"]+)";$/gm)) {
      if (from.startsWith(".")) own.add(resolve(dirname(file), from.replace(/\.js$/, ".ts")));
      else others.add(from);
    }
  }
  return { own: [...own].map((file) => relative(join(runtime, "src"), file)), others };
}

it("ships what the test kit takes from the simulation, and nothing else of it", () => {
  const { files } = JSON.parse(readFileSync(join(runtime, "package.json"), "utf8")) as { files: string[] };
  const shipped = files.filter((pattern) => pattern.startsWith("dist/simulation/"));
  expect(files).toContain("!dist/simulation/**");
  const needed = importedBy(kit).own.filter((path) => path.startsWith("simulation/"));
  expect(needed.length).toBeGreaterThan(5);
  const isNamed = (path: string, pattern: string): boolean =>
    new RegExp(`^${pattern.replaceAll(".", "[.]").replaceAll("*", "[^/]*")}$`).test(
      `dist/${path.replace(/ts$/, "js")}`,
    );
  expect(needed.filter((path) => !shipped.some((pattern) => isNamed(path, pattern)))).toEqual([]);
  expect(shipped.filter((pattern) => !needed.some((path) => isNamed(path, pattern)))).toEqual([]);
});

it("needs no test runner", () => {
  const { others } = importedBy(kit);
  expect([...others]).toContain("jsonata");
  expect([...others].filter((name) => /vitest|fast-check|^node:test/.test(name))).toEqual([]);
});
