import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Mutant } from "./mutant.js";
import { mutants } from "./mutants.js";
import { misfits, plant } from "./mutated-source.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

it.each(mutants.map((mutant) => [mutant.name, mutant] as const))("can be planted, and has tests: %s", (_, mutant) => {
  expect(misfits(mutant)).toEqual([]);
  expect(mutant.replace).not.toBe(mutant.find);
  for (const file of mutant.tests) expect(existsSync(join(root, file)), file).toBe(true);
});

it("have names of their own", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

describe("a planted bug", () => {
  const planted = (change: Partial<Mutant>): Mutant => ({
    name: "planted",
    files: [],
    find: "",
    replace: "",
    tests: [],
    ...change,
  });
  const transform = (mutant: Mutant, file: string, folder = ""): unknown => {
    const { transform: hook } = plant(mutant, folder);
    if (typeof hook !== "function") throw new Error("expected a transform");
    return Reflect.apply(hook, undefined, [readFileSync(join(root, file), "utf8"), `${join(root, file)}?v=1`]);
  };
  const file = "packages/runtime/src/duration.ts";

  it("changes its file and no other", () => {
    const mutant = planted({ files: [file], find: "export", replace: "/* planted */ export" });
    expect(transform(mutant, file)).toContain("/* planted */");
    expect(transform(mutant, "packages/runtime/src/json.ts")).toBeNull();
  });

  it("does not fit a text that has it twice, or not at all", () => {
    expect(misfits(planted({ files: [file], find: "\n" }))).toHaveLength(1);
    expect(misfits(planted({ files: [file], find: "no such text" }))).toHaveLength(1);
    expect(misfits(planted({ files: [file], find: "\n", everywhere: true }))).toEqual([]);
  });

  it("in a statement is read from a folder of its own", () => {
    const folder = mkdtempSync(join(tmpdir(), "bug-bank-"));
    try {
      const mutant = planted({ files: ["packages/runtime/sql/postgres/bury.sql"], find: "dead", replace: "alive" });
      expect(transform(mutant, "packages/runtime/src/stores/postgres/statements.ts", folder)).toContain(folder);
      expect(readFileSync(join(folder, "bury.sql"), "utf8")).toContain("alive");
      expect(existsSync(join(folder, "claim-take.sql"))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
