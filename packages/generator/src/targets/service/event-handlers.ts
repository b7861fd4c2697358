/** Functions that handle events: one file each, written once, what they are given, and the list of what they handle. */
import type { EventHandlerModel, Model } from "../../model.js";
import { code, HEADER, json, print, type Source } from "../entity/source.js";
import type { TargetFile } from "../target-file.js";

const FOLDER = "src/application/event-handlers";

export function eventHandlerFiles(model: Model): TargetFile[] {
  const { handlers } = model.events;
  return [
    ...handlers.map((handler): TargetFile => {
      return { path: `${FOLDER}/${handler.name.kebab}.ts`, owner: "once", content: stubText(handler) };
    }),
    { path: `${FOLDER}/event-handler.generated.ts`, owner: "generated", content: typesText(model) },
    { path: `${FOLDER}/event-handlers.generated.ts`, owner: "generated", content: listText(handlers) },
  ];
}

function stubText({ name, from, subjects }: EventHandlerModel): string {
  const whose = from === null ? "of this service" : `of ${from}`;
  return `import type { EventHandler } from "./event-handler.generated.js";

/** Yours: handles \`${subjects.join("`, `")}\` ${whose}. */
export const ${name.camel}: EventHandler = async (event, { logger }) => {
  logger.info({ event: event.id, type: event.type, subject: event.subject }, "event handled");
};
`;
}

function typesText({ features }: Model): string {
  const { sagas } = features;
  const lines = [
    'import type { CloudEvent, EventContext } from "@clean-arch/runtime";',
    'import type { Logger } from "../ports/logger.js";',
    sagas ? 'import type { Runs } from "../ports/runs.js";' : null,
    'import type { UseCases } from "../use-cases/use-cases.generated.js";',
    "",
    "/** What a handler may use beside its event. */",
    "export interface EventDeps {",
    "  readonly useCases: UseCases;",
    sagas
      ? "  /** `runs.start(saga, input, { idempotencyKey: event.id })` begins one run, however often the event comes. */"
      : null,
    sagas ? "  readonly runs: Runs;" : null,
    "  readonly logger: Logger;",
    "}",
    "",
    "/**",
    " * Handles an event. Once it has resolved, the event does not come again; a crash before that is kept brings it once more, so give",
    " * `event.id` along to whoever has to recognize it. A throw is retried with growing pauses, and the event is parked after ten attempts; the",
    " * runtime's `EventRefusal` parks it at once. Events of one key come in order, unless one of them failed. Stop when `context.signal` aborts.",
    " */",
    "export type EventHandler = (event: CloudEvent, deps: EventDeps, context: EventContext) => Promise<void>;",
    "",
    "/** What a handler handles, and whose it is. */",
    "export interface EventSubscription {",
    "  readonly handler: string;",
    "  /** Those who share the events: the instances of this service. */",
    "  readonly group: string;",
    "  /** The service that publishes them; null: this one. */",
    "  readonly from: string | null;",
    "  readonly subjects: readonly string[];",
    "  readonly handle: EventHandler;",
    "}",
  ];
  return `${HEADER}${lines.filter((line) => line !== null).join("\n")}\n`;
}

function listText(handlers: readonly EventHandlerModel[]): string {
  const imports = handlers
    .map(({ name }) => ({ path: `./${name.kebab}.js`, text: `import { ${name.camel} } from "./${name.kebab}.js";\n` }))
    .concat([
      {
        path: "./event-handler.generated.js",
        text: 'import type { EventSubscription } from "./event-handler.generated.js";\n',
      },
    ])
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const rows = handlers.map(
    ({ name, group, from, subjects }): Source => ({
      open: true,
      entries: [
        ["handler", json(name.raw)],
        ["group", json(group)],
        ["from", json(from)],
        ["subjects", json(subjects)],
        ["handle", code(name.camel)],
      ],
    }),
  );
  return `${HEADER}${imports.map(({ text }) => text).join("")}
/** What this service handles, and who does. */
${print({ items: rows }, "export const SUBSCRIPTIONS: readonly EventSubscription[] = ", ";")}
`;
}
