import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { addFunctionTask } from "./own-definition.js";

let folder: string;
const file = () => join(folder, "src/application/sagas/definitions.generated.ts");
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "own-definition-"));
  await mkdir(join(folder, "src/application/sagas"), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

it("puts the function beside the service's own definitions", async () => {
  await writeFile(file(), "export const definitions: readonly (A | B)[] = [\n  otherSaga,\n];\n");
  await addFunctionTask(folder);
  expect(await readFile(file(), "utf8")).toBe(
    'import { stockTaking } from "./stock-taking.js";\nexport const definitions: readonly (A | B)[] = [\n  stockTaking,\n  otherSaga,\n];\n',
  );
  expect(await readFile(join(folder, "src/application/sagas/stock-taking.ts"), "utf8")).toContain("stock_taking");
});

it("says so when the service keeps its definitions in another way", async () => {
  await writeFile(file(), "export const others = [];\n");
  await expect(addFunctionTask(folder)).rejects.toThrow("expected a list of definitions");
});
