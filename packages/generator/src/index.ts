/** The generator as a library: a config in, a model, a plan and a project out; what the command line is made of. */

export { buildModel } from "./build-model.js";
export { main } from "./cli.js";
export { type Diagnostic, type DiagnosticCode, RefusedError, renderText } from "./diagnostics.js";
export type * from "./model.js";
export { buildPlan, comparePlan, type Plan } from "./plan.js";
export { type ReadConfig, readConfig } from "./spec/read.js";
export type { Config } from "./spec/schema.js";
export { loadTemplate, type Template } from "./template.js";
export { verifyProject } from "./verify/index.js";
