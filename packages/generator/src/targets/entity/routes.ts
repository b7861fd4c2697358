/** The routes of each entity, and the list of them. */
import type { EntityModel } from "../../model.js";
import { HEADER, importOf } from "./source.js";

export function entityRoutesFile(entity: EntityModel): string {
  const { camel, kebab, pascal } = entity.name;
  const application = `../../application/use-cases/${kebab}/${kebab}-use-cases.generated.js`;
  return `${HEADER}import type { FastifyInstance } from "fastify";
${importOf([`type ${pascal}UseCases`, `${camel}Fields`, `${camel}Keys`], application)}import { registerCrudRoutes } from "./crud-routes.js";

export function ${camel}Routes(app: FastifyInstance, useCases: ${pascal}UseCases): void {
  registerCrudRoutes(app, {
    path: "/api/v1/${entity.plural.kebab}",
    name: "${pascal}",
    keys: ${camel}Keys,
    fields: ${camel}Fields,
    useCases,
  });
}
`;
}

export function entitiesFile(entities: readonly EntityModel[]): string {
  const imports = [...entities]
    .sort((a, b) => (a.name.kebab < b.name.kebab ? -1 : 1))
    .map(({ name }) => importOf([`${name.camel}Routes`], `./${name.kebab}-routes.generated.js`));
  // The formatter's order of imports: by path.
  const others = ['import type { Callers } from "./callers.js";\n'];
  const local = [...imports, ...others].sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  return `${HEADER}import type { FastifyInstance } from "fastify";
import type { Application } from "../../application/application.generated.js";
${local.join("")}
/** Who may call them is \`http.auth\`, as for starting and reading runs. */
export function registerEntities(
  app: FastifyInstance,
  { useCases }: Pick<Application, "useCases">,
  { callers }: { readonly callers: Pick<Callers, "requireCaller"> },
): void {
  void app.register((scope, _options, done) => {
    scope.addHook("onRequest", async (request) => void (await callers.requireCaller(request)));
${entities.map(({ name }) => `    ${name.camel}Routes(scope, useCases.${name.camel});\n`).join("")}    done();
  });
}
`;
}

const pathOf = (line: string): string => line.slice(line.indexOf('"./'));
