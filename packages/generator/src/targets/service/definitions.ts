/** The list of every saga and batch of the service. */
import type { Model } from "../../model.js";
import { code, HEADER, print } from "../entity/source.js";
import { batchConstant } from "./batch.js";
import { sagaConstant } from "./saga.js";

export function definitionsFile({ sagas, batches }: Model): string {
  const entries = [
    ...sagas.map((saga) => ({ constant: sagaConstant(saga), path: `./${saga.name.kebab}.saga.generated.js` })),
    ...batches.map((batch) => ({ constant: batchConstant(batch), path: `./${batch.name.kebab}.batch.generated.js` })),
  ];
  const imports = [...entries]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ constant, path }) => `import { ${constant} } from ${JSON.stringify(path)};\n`);
  const list = { items: entries.map(({ constant }) => code(constant)) };
  return `${HEADER}import type { SagaDefinition } from "@clean-arch/runtime";
${imports.join("")}
/** Every saga and task of this service. */
${print(list, "export const definitions: readonly SagaDefinition[] = ", ";")}
`;
}
