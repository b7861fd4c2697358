import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import type { Mutant } from "./mutant.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const SQL = "packages/runtime/sql/postgres";
/** Where the statements are read from, in the source that reads them. */
const STATEMENTS = "packages/runtime/src/stores/postgres/statements.ts";
const FOLDER = 'new URL("../../../sql/postgres/", import.meta.url)';

/** What does not fit the text of the source, one sentence each; empty: it can be planted. */
export function misfits({ name, files, find, everywhere }: Mutant): string[] {
  return files.flatMap((file) => {
    const count = readFileSync(join(root, file), "utf8").split(find).length - 1;
    const fits = everywhere ? count > 0 : count === 1;
    return fits ? [] : [`"${name}": expected ${JSON.stringify(find)} once in ${file}, got it ${count} times`];
  });
}

/** Plants the mutant in what the tests load; on disk nothing changes. `folder`: empty, for statements; the caller's. */
export function plant(mutant: Mutant, folder: string): Plugin {
  const change = (text: string): string => text.replaceAll(mutant.find, () => mutant.replace);
  const statements = mutant.files.filter((file) => file.startsWith(SQL));
  if (statements.length > 0) {
    cpSync(join(root, SQL), folder, { recursive: true });
    for (const file of statements)
      writeFileSync(join(folder, file.slice(SQL.length)), change(readFileSync(join(root, file), "utf8")));
  }
  return {
    name: "planted-bug",
    enforce: "pre",
    transform(code, id) {
      const file = id.split("?")[0] ?? id;
      if (statements.length > 0 && file === join(root, STATEMENTS))
        return code.replace(FOLDER, `new URL(${JSON.stringify(`file://${folder}/`)})`);
      return mutant.files.some((each) => file === join(root, each)) ? change(code) : null;
    },
  };
}
