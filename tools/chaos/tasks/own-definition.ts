import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("stock-taking.ts", import.meta.url));
const LIST = /(export const definitions[^=]*= \[)/;

/** Puts the function task beside the definitions of a service that was generated and not built yet. */
export async function addFunctionTask(folder: string): Promise<void> {
  const sagas = join(folder, "src/application/sagas");
  const file = join(sagas, "definitions.generated.ts");
  const text = await readFile(file, "utf8");
  if (!LIST.test(text))
    throw new Error(`expected a list of definitions in ${file}, got none; see what the generator writes`);
  await copyFile(PROGRAM, join(sagas, "stock-taking.ts"));
  await writeFile(
    file,
    `import { stockTaking } from "./stock-taking.js";\n${text.replace(LIST, "$1\n  stockTaking,")}`,
  );
}
