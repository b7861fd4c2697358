/**
 * Targets: pure functions from the model (and the template's data) to files. A group is one folder or concern of the
 * project; groups know nothing of each other, and two files of one path are an error (plan.ts).
 */
import type { Model } from "../model.js";
import type { Template } from "../template.js";
import { renderEntityFiles } from "./entity/index.js";
import { projectTarget } from "./project/index.js";
import { serviceTarget } from "./service/index.js";
import type { TargetFile, TargetGroup } from "./target-file.js";

export type { Owner, TargetFile, TargetGroup } from "./target-file.js";

const groups: readonly TargetGroup[] = [projectTarget, serviceTarget, renderEntityFiles];

export function renderTargets(model: Model, template: Template): readonly TargetFile[] {
  return groups.flatMap((group) => group(model, template));
}
