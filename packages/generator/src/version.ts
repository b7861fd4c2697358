/** The generator's own name and version, read from its package.json once. */
import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly name: string;
  readonly version: string;
};

export const generatorName = `${manifest.name}@${manifest.version}`;
