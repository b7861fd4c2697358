import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const json = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

/** Two versions of these types in one program do not compile. */
it("pins the types of Node that the repository has", () => {
  const root = json("../../package-lock.json").packages["node_modules/@types/node"].version;
  expect(json("../package.json").dependencies["@types/node"]).toBe(root);
});

/** What is compared is what is made of the driver, not two versions of it. */
it.each(["@nats-io/jetstream", "@nats-io/transport-node"])(
  "pins the version of %s that the runtime is tested with",
  (name) => {
    const root = json("../../package-lock.json").packages[`node_modules/${name}`].version;
    expect(json("../package.json").dependencies[name]).toBe(root);
  },
);
