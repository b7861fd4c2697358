import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const json = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

/** Two versions of these types in one program do not compile. */
it("pins the types of Node that the repository has", () => {
  const root = json("../../package-lock.json").packages["node_modules/@types/node"].version;
  expect(json("../package.json").dependencies["@types/node"]).toBe(root);
});
