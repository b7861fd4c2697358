/** The generator as a library: a config in, a model, a plan and a project out; what the command line is made of. */
export { main } from "./cli.js";
export { buildModel } from "./build-model.js";
export { RefusedError, renderText, type Diagnostic, type DiagnosticCode } from "./diagnostics.js";
export type * from "./model.js";
export { buildPlan, comparePlan, type Plan } from "./plan.js";
export { readConfig, type ReadConfig } from "./spec/read.js";
export type { Config } from "./spec/schema.js";
export { loadTemplate, type Template } from "./template.js";
export { verifyProject } from "./verify/index.js";
