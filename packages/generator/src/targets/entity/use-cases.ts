/** The use cases of each entity, put together as its `use_cases` say, and those of all entities. */

import type { EntityModel, UseCase } from "../../model.js";
import type { Names } from "../../naming.js";
import { exportOf, HEADER, importOf } from "./source.js";

/** As users of an API think of them. */
const USE_CASES: readonly UseCase[] = ["create", "get", "list", "update", "delete"];

/** `createOrder`, `listOrders`, ... in one of the cases. */
export function useCaseName(entity: EntityModel, useCase: UseCase, form: "kebab" | "pascal"): string {
  const name: Names = useCase === "list" ? entity.plural : entity.name;
  if (form === "kebab") return `${useCase}-${name.kebab}`;
  return `${useCase.charAt(0).toUpperCase()}${useCase.slice(1)}${name.pascal}`;
}

export function entityUseCasesFile(entity: EntityModel): string {
  const { camel, pascal, kebab } = entity.name;
  const domain = `../../../domain/${kebab}/${kebab}.generated.js`;
  const useCases = USE_CASES.filter((useCase) => entity.useCases.includes(useCase));
  const typeOf = (useCase: UseCase): string => useCaseName(entity, useCase, "pascal");
  const functionOf = (useCase: UseCase): string => typeOf(useCase).replace(/^./, (first) => first.toLowerCase());
  const imports = useCases
    .map((useCase) => [useCaseName(entity, useCase, "kebab"), useCase] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, useCase]) => importOf([`type ${typeOf(useCase)}`, functionOf(useCase)], `./${file}.js`));
  return `${HEADER}import type * as dependencies from "../../dependencies.js";
import type { ${pascal}Repository } from "../../ports/${kebab}-repository.js";
${imports.join("")}
${exportOf([`${camel}Fields`, `${camel}Keys`], domain)}
export interface ${pascal}UseCases {
${useCases.map((useCase) => `  readonly ${useCase}: ${typeOf(useCase)};\n`).join("")}}

export function ${camel}UseCases(${useCases.length === 0 ? "_needed" : "needed"}: dependencies.Dependencies<${pascal}Repository>): ${pascal}UseCases {
  return {
${useCases.map((useCase) => `    ${useCase}: ${functionOf(useCase)}(needed),\n`).join("")}  };
}
`;
}

export function useCasesFile(entities: readonly EntityModel[]): string {
  if (entities.length === 0) {
    return `${HEADER}
/** The config declares no entities, so there are no use cases of them. */
export type UseCases = Readonly<Record<never, never>>;
`;
  }
  const inOrder = [...entities].sort((a, b) => (a.name.kebab < b.name.kebab ? -1 : 1));
  const repositories = inOrder.map(({ name }) =>
    importOf([`${name.pascal}Repository`], `../ports/${name.kebab}-repository.js`, true),
  );
  const useCases = inOrder.map(({ name }) =>
    importOf(
      [`type ${name.pascal}UseCases`, `${name.camel}UseCases`],
      `./${name.kebab}/${name.kebab}-use-cases.generated.js`,
    ),
  );
  const each = (line: (names: Names) => string): string => entities.map(({ name }) => `${line(name)}\n`).join("");
  return `${HEADER}import type { Dependencies } from "../dependencies.js";
${repositories.join("")}${useCases.join("")}
export interface UseCases {
${each(({ camel, pascal }) => `  readonly ${camel}: ${pascal}UseCases;`)}}

export interface Repositories {
${each(({ camel, pascal }) => `  readonly ${camel}: ${pascal}Repository;`)}}

export function useCasesFrom(repositories: Repositories, shared: Omit<Dependencies<never>, "repository">): UseCases {
  return {
${each(({ camel }) => `    ${camel}: ${camel}UseCases({ repository: repositories.${camel}, ...shared }),`)}  };
}
`;
}
