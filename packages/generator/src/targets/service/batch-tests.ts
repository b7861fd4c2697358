/** A test for every batch: what it does for its items when its stages fail, are done twice, or are cut short. */
import type { Model } from "../../model.js";
import type { Template } from "../../template.js";
import type { TargetFile } from "../target-file.js";
import { batchConstant } from "./batch.js";

const FOLDER = "tests/batches";
const CHECKS = `${FOLDER}/batch-checks.ts`;

export function batchTestFiles({ features, batches }: Model, { files }: Template): TargetFile[] {
  const checks = files.get(CHECKS);
  if (!features.sagas || batches.length === 0) return [];
  if (checks === undefined) throw new Error(`the template lacks ${CHECKS}`);
  return [
    { path: CHECKS, owner: "merged", content: checks },
    ...batches.map((batch): TargetFile => {
      const path = `${FOLDER}/${batch.name.kebab}.test.ts`;
      const constant = batchConstant(batch);
      const source = `../../src/application/sagas/${batch.name.kebab}.batch.generated.js`;
      const content = `/** Yours: what ${batch.name.raw} does for its items. */
import { ${constant} } from "${source}";
import { batchChecks } from "./batch-checks.js";

batchChecks(${constant});
`;
      return { path, owner: "once", content };
    }),
  ];
}
