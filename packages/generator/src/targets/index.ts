/**
 * Targets: pure functions from the model (and the template's data) to files. A group is one folder or concern of the
 * project; groups know nothing of each other, and two files of one path are an error (plan.ts).
 */
import type { Model } from "../model.js";
import type { Template } from "../template.js";
import { renderEntityFiles } from "./entity/index.js";
import { projectTarget } from "./project/index.js";
import { serviceTarget } from "./service/index.js";

/**
 * generated: rewritten each time, an edit is a finding of `verify`. merged: yours and ours, rewritten while unedited.
 * once: written when the project is new to it, then yours.
 */
export type Owner = "generated" | "merged" | "once";

export interface TargetFile {
  /** Relative to the project, `/` between the parts. */
  readonly path: string;
  readonly owner: Owner;
  /** A string is written as UTF-8. */
  readonly content: string | Uint8Array;
  /** Mode 0755 instead of 0644. */
  readonly executable?: boolean;
}

export type TargetGroup = (model: Model, template: Template) => readonly TargetFile[];

const groups: readonly TargetGroup[] = [projectTarget, serviceTarget, renderEntityFiles];

export function renderTargets(model: Model, template: Template): readonly TargetFile[] {
  return groups.flatMap((group) => group(model, template));
}
