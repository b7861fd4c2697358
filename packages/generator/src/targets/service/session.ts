/** src/infrastructure/session/saga.ts is in every project; in one without sagas it says so and holds nothing. */
import type { Model } from "../../model.js";
import type { Template } from "../../template.js";
import type { TargetFile } from "../target-file.js";

const PATH = "src/infrastructure/session/saga.ts";

const WITHOUT_SAGAS = `// Sagas are off: session.saga.enabled is false in clean-arch.yaml.
export {};
`;

export function sagaManagerFile({ features }: Model, { files }: Template): TargetFile {
  return { path: PATH, owner: "merged", content: features.sagas ? (files.get(PATH) ?? "") : WITHOUT_SAGAS };
}
