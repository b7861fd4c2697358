/** Everything of a project that is not its source code: manifests, containers, make targets, settings, documents. */
import type { TargetGroup } from "../target-file.js";
import { compilerFiles } from "./compiler.js";
import { configurationFiles } from "./configuration.js";
import { containerFiles } from "./containers.js";
import { makeFiles } from "./make.js";
import { manifestFiles } from "./manifest.js";
import { readmeFiles } from "./readme.js";
import { repositoryFiles } from "./repository.js";

export const projectTarget: TargetGroup = (model, template) => [
  ...manifestFiles(model, template),
  ...compilerFiles(),
  ...containerFiles(model),
  ...makeFiles(model),
  ...configurationFiles(model),
  ...repositoryFiles(),
  ...readmeFiles(model),
];
