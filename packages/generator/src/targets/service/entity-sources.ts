/** Where batches find the records of entities: the repositories of those that a batch goes through. */
import type { EntityModel, Model } from "../../model.js";
import { HEADER, importOf } from "../entity/source.js";

/** In the model's order; a batch may name one that is yet to come. */
export const sourceEntities = ({ batches, entities }: Pick<Model, "batches" | "entities">): EntityModel[] =>
  entities.filter(({ name }) =>
    batches.some(({ source }) => source.kind === "entity" && source.entity.pascal === name.pascal),
  );

export function entitySourcesFile(entities: readonly EntityModel[]): string {
  const imports = [
    ...entities.map(({ name: { camel, kebab } }) =>
      importOf([`${camel}Keys`], `../use-cases/${kebab}/${kebab}-use-cases.generated.js`),
    ),
    'import type { Repositories } from "../use-cases/use-cases.generated.js";\n',
  ].sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  return `${HEADER}import type { EntitySource } from "@clean-arch/runtime";
import { entityItems } from "../entity-items.js";
${imports.join("")}
/** What batches go through, by the names that their sources have. */
export const entitySources = (repositories: Repositories): Readonly<Record<string, EntitySource>> => ({
${entities.map(({ name }) => `  ${name.raw}: entityItems(repositories.${name.camel}, ${name.camel}Keys),\n`).join("")}});
`;
}

const pathOf = (line: string): string => line.slice(line.indexOf(' from "') + 7);
