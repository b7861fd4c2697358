/** What a target hands over: one file, whose it is, and what it holds. */
import type { Model } from "../model.js";
import type { Template } from "../template.js";

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
