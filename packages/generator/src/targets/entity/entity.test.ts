import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileErrors } from "../compile.test.support.js";
import { REFERENCE, renderHostile, renderReference, renderText } from "./rendered.test.support.js";

const reference = renderReference();

describe("the reference service's own config", () => {
  // `vitest -u` writes what the functions give into the reference service.
  test.each([...reference.files])("renders %s", async (path, content) => {
    await expect(content).toMatchFileSnapshot(`${REFERENCE}${path}`);
  });

  test("renders them byte for byte", () => {
    for (const [path, content] of reference.files) {
      expect({ path, content }).toEqual({ path, content: readFileSync(`${REFERENCE}${path}`, "utf8") });
    }
  });
});

test("the sample's name appears in no file of another entity", () => {
  const { files } = renderText("domain: { entities: [{ name: OrderLine, fields: [{ name: sku, type: string }] }] }");
  const own = [...files].filter(([path]) => path.includes("order-line") || path.endsWith("s.generated.ts"));
  expect(own.length).toBeGreaterThan(12);
  for (const [path, content] of own) expect(`${path}\n${content}`).not.toMatch(/bound.?volume/i);
});

test("without entities there are migrations to run and nothing of entities", () => {
  const { files } = renderText("session: {}");
  expect([...files.keys()].filter((path) => !path.startsWith("tests/"))).toEqual([
    "src/application/use-cases/use-cases.generated.ts",
    "src/infrastructure/persistence/constraint.ts",
    "src/infrastructure/persistence/database.ts",
    "src/infrastructure/persistence/migrations.ts",
    "src/infrastructure/persistence/postgres/check.ts",
    "src/infrastructure/persistence/postgres/database.ts",
    "src/infrastructure/persistence/postgres/driver-errors.ts",
    "src/infrastructure/persistence/postgres/migrated.ts",
    "src/infrastructure/persistence/prepare.ts",
    "src/infrastructure/persistence/sqlite/check.ts",
    "src/infrastructure/persistence/sqlite/database.ts",
    "src/infrastructure/persistence/sqlite/driver-errors.ts",
    "src/infrastructure/persistence/sqlite/migrated.ts",
    "src/migrate.ts",
  ]);
});

describe("hostile names and text", () => {
  const { files } = renderHostile();
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "entities-"));
    cpSync(`${REFERENCE}src`, join(folder, "src"), { recursive: true });
    cpSync(`${REFERENCE}tests`, join(folder, "tests"), { recursive: true });
    const modules = ["../node_modules", "../../node_modules", "../../../node_modules"].map((path) =>
      join(REFERENCE, path),
    );
    symlinkSync(modules.find((path) => existsSync(join(path, "kysely"))) ?? "", join(folder, "node_modules"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    for (const [path, content] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("give code that compiles", { timeout: 120_000 }, () => {
    const roots = [...files.keys()].filter((path) => path.endsWith(".ts")).map((path) => join(folder, path));
    // What was not rendered here is the reference service's, which has checks of its own.
    expect(compileErrors(roots, folder)).toEqual([]);
    expect(roots.length).toBeGreaterThan(300);
  });
});
