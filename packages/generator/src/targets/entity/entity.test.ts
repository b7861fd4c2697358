import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { buildModel } from "../../build-model.js";
import type { Model } from "../../model.js";
import { readConfig } from "../../spec/read.js";
import { readReferenceService, type Template } from "../../template.js";
import { renderEntityFiles } from "./index.js";

const folder = fileURLToPath(new URL("../../../../reference-service/", import.meta.url));
const template: Template = {
  ...readReferenceService(folder),
  runtime: { version: "0.0.0", fileName: "runtime.tgz", bytes: new Uint8Array(), integrity: "" },
};

function modelOf(text: string): Model {
  return buildModel(readConfig(Buffer.from(text), "clean-arch.yaml").config, { name: "sample", text });
}

const reference = modelOf(readFileSync(`${folder}clean-arch.yaml`, "utf8"));
const rendered = renderEntityFiles(reference, template);

// `vitest -u` writes what the functions give into the reference service.
test.each(rendered)("renders the reference service's own $path byte for byte", async ({ path, content }) => {
  await expect(content).toMatchFileSnapshot(`${folder}${path}`);
});
