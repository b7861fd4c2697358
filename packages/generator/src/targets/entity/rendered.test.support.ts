/** For tests: the entity files of a config, rendered from the reference service beside this package. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildModel } from "../../build-model.js";
import type { Model } from "../../model.js";
import { readConfig } from "../../spec/read.js";
import { readReferenceService, type Template } from "../../template.js";
import { renderEntityFiles } from "./index.js";

export const REFERENCE = fileURLToPath(new URL("../../../../reference-service/", import.meta.url));

const template: Template = {
  ...readReferenceService(REFERENCE),
  runtime: { version: "0.0.0", fileName: "runtime.tgz", bytes: new Uint8Array(), integrity: "" },
};

export interface Rendered {
  readonly model: Model;
  readonly files: ReadonlyMap<string, string>;
}

export function renderText(text: string): Rendered {
  const model = buildModel(readConfig(Buffer.from(text), "clean-arch.yaml").config, { name: "sample", text });
  const files = renderEntityFiles(model, template).map(({ path, content }) => [path, String(content)] as const);
  return { model, files: new Map(files) };
}

export const renderReference = (): Rendered => renderText(readFileSync(`${REFERENCE}clean-arch.yaml`, "utf8"));

export const renderHostile = (): Rendered =>
  renderText(readFileSync(new URL("fixtures/hostile.yaml", import.meta.url), "utf8"));
