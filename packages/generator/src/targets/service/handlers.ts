/** Functions of `local` services: one file each, written once, and the list that says who performs what. */
import { commentText } from "../../emit.js";
import type { HandlerModel, Model, ServiceModel } from "../../model.js";
import { HEADER } from "../entity/source.js";
import type { TargetFile } from "../target-file.js";

const FOLDER = "src/application/handlers";

const localServices = ({ services }: Model): ServiceModel[] =>
  services.filter(({ transport }) => transport === "local");

export function handlerFiles(model: Model): TargetFile[] {
  const files = localServices(model).flatMap((service) =>
    service.handlers.map((handler): TargetFile => {
      const content = handler.kind === "action" ? actionText(service, handler) : compensationText(service, handler);
      return { path: `${FOLDER}/${service.name.kebab}/${handler.name.kebab}.ts`, owner: "once", content };
    }),
  );
  return [...files, { path: `${FOLDER}/handlers.generated.ts`, owner: "generated", content: handlersText(model) }];
}

function actionText(service: ServiceModel, handler: HandlerModel): string {
  return `import type { Handler } from "../handler.js";

/** \`${commentText(handler.endpoint)}\` of \`${service.name.raw}\`, called by ${handler.stages.join(", ")}. */
export const ${functionOf(handler)}: Handler = async (call, { logger }) => {
  logger.info({ run_id: call.runId, stage: call.stage, attempt: call.attempt }, "stage performed");
  return { reference: call.idempotencyKey };
};
`;
}

function compensationText(service: ServiceModel, handler: HandlerModel): string {
  return `import type { CompensationHandler } from "../handler.js";

/** \`${commentText(handler.endpoint)}\` of \`${service.name.raw}\`, undoes ${handler.stages.join(", ")}. */
export const ${functionOf(handler)}: CompensationHandler = async (call, { logger }) => {
  logger.info({ run_id: call.runId, stage: call.stage, outcome: call.outcome }, "stage undone");
  return { undone: call.forwardKey };
};
`;
}

const functionOf = ({ name, kind }: HandlerModel): string =>
  `${name.camel}${kind === "action" ? "Handler" : "Compensation"}`;

function handlersText(model: Model): string {
  const services = localServices(model);
  const names = localNames(services);
  const imports = services
    .flatMap((service) => service.handlers.map((handler) => ({ service, handler })))
    .map(({ service, handler }) => {
      const own = functionOf(handler);
      const local = names.get(handler) ?? own;
      const path = `./${service.name.kebab}/${handler.name.kebab}.js`;
      return { path, text: `import { ${local === own ? own : `${own} as ${local}`} } from "${path}";\n` };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const list = (service: ServiceModel, kind: HandlerModel["kind"]): string => {
    const handlers = service.handlers.filter((handler) => handler.kind === kind);
    const lines = handlers
      .map((handler) => `      ${JSON.stringify(handler.endpoint)}: ${names.get(handler)},\n`)
      .join("");
    return lines === "" ? "{}" : `{\n${lines}    }`;
  };
  const entries = services.map(
    (service) => `  ${service.name.raw}: {
    actions: ${list(service, "action")},
    compensations: ${list(service, "compensation")},
  },\n`,
  );
  return `${HEADER}${imports.map(({ text }) => text).join("")}import type { ServiceHandlers } from "./handler.js";

/** Who performs what in this process: by service, then by endpoint. */
export const handlers = {
${entries.join("")}} satisfies Record<string, ServiceHandlers>;
`;
}

/** What each handler is called in the list: its own name, unless another service has the same one. */
function localNames(services: readonly ServiceModel[]): Map<HandlerModel, string> {
  const taken = new Set<string>(["handlers"]);
  const names = new Map<HandlerModel, string>();
  for (const service of services) {
    for (const handler of service.handlers) {
      const own = functionOf(handler);
      let name = taken.has(own) ? `${service.name.camel}${own.charAt(0).toUpperCase()}${own.slice(1)}` : own;
      while (taken.has(name)) name = `${name}_`;
      taken.add(name);
      names.set(handler, name);
    }
  }
  return names;
}
