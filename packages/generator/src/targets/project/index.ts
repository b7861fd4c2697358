/** Everything of a project that is not its source code: manifests, containers, make targets, settings, documents. */
import type { TargetGroup } from "../index.js";

export const projectTarget: TargetGroup = () => [];
