/** The service's own code: what depends on the model by typed functions, the rest as it is in the reference service. */
import type { Model } from "../../model.js";
import type { Template } from "../../template.js";
import type { TargetFile } from "../target-file.js";
import { applicationFile } from "./application.js";
import { batchFile } from "./batch.js";
import { batchTestFiles } from "./batch-tests.js";
import { containerFile } from "./container.js";
import { copiedFiles } from "./copies.js";
import { definitionsFile } from "./definitions.js";
import { entitySourcesFile, sourceEntities } from "./entity-sources.js";
import { eventHandlerFiles } from "./event-handlers.js";
import { eventTestFiles } from "./event-tests.js";
import { eventRoutesFile, publishedTablesFile } from "./events.js";
import { factsFile } from "./facts.js";
import { handlerFiles } from "./handlers.js";
import { routesFile } from "./routes.js";
import { sagaFile } from "./saga.js";
import { sagaTestFiles } from "./saga-tests.js";
import { sagaManagerFile } from "./session.js";

export function serviceTarget(model: Model, template: Template): TargetFile[] {
  const { sagas, localHandlers, publishing, consuming, asyncapi } = model.features;
  return [
    ...copiedFiles(model, template),
    sagaManagerFile(model, template),
    generated("src/application/application.generated.ts", applicationFile(model)),
    generated("src/infrastructure/config/project.generated.ts", factsFile(model)),
    generated("src/infrastructure/container/container.generated.ts", containerFile(model)),
    generated("src/interfaces/http/routes.generated.ts", routesFile(model)),
    ...(sagas ? definitionFiles(model) : []),
    ...(sagas && localHandlers ? handlerFiles(model) : []),
    ...(consuming ? eventHandlerFiles(model) : []),
    ...eventTestFiles(model),
    ...sagaTestFiles(model),
    ...batchTestFiles(model, template),
    ...(publishing
      ? [generated("src/infrastructure/messaging/published-tables.generated.ts", publishedTablesFile(model))]
      : []),
    ...(asyncapi ? [generated("src/interfaces/http/events.generated.ts", eventRoutesFile(model))] : []),
  ];
}

function definitionFiles(model: Model): TargetFile[] {
  const folder = "src/application/sagas";
  return [
    generated(`${folder}/definitions.generated.ts`, definitionsFile(model)),
    ...(model.features.entitySources
      ? [generated(`${folder}/entity-sources.generated.ts`, entitySourcesFile(sourceEntities(model)))]
      : []),
    ...model.sagas.map((saga) => generated(`${folder}/${saga.name.kebab}.saga.generated.ts`, sagaFile(saga))),
    ...model.batches.map((batch) => generated(`${folder}/${batch.name.kebab}.batch.generated.ts`, batchFile(batch))),
  ];
}

function generated(path: string, content: string): TargetFile {
  return { path, owner: "generated", content };
}
