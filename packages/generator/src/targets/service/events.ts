/** What of which table is published, and the routes about events: their document, and those that nobody could handle. */
import type { Change, Model, PublishedModel } from "../../model.js";
import { code, HEADER, importOf, json, print, type Source } from "../entity/source.js";

const byPath = (a: string, b: string): number => (pathOf(a) < pathOf(b) ? -1 : 1);
const pathOf = (line: string): string => line.slice(line.indexOf('"'));

export function publishedTablesFile({ events }: Model): string {
  const imports = events.published
    .map(({ entity: { name } }) =>
      importOf([`${name.camel}Keys`], `../../domain/${name.kebab}/${name.kebab}.generated.js`),
    )
    .sort(byPath);
  const tables: Source = {
    open: true,
    entries: events.published.map(({ entity: { name, plural }, changes }) => [
      plural.snake,
      {
        entries: [
          ["entity", json(name.snake)],
          ["changes", json(changes)],
          ["keys", code(`${name.camel}Keys`)],
        ],
      },
    ]),
  };
  return `${HEADER}${imports.join("")}import type { PublishedTables } from "./outbox.js";

/** The changes that others are told of, by table. */
${print(tables, "export const publishedTables: PublishedTables = ", ";")}
`;
}

export function eventRoutesFile({ events: { published }, features }: Model): string {
  const { events, publishing, consuming, sagas } = features;
  // Of what is deleted its id alone is told.
  const shown = published.filter(({ changes }) => changes.some((change) => change !== "deleted"));
  const others = [
    'import { asyncapiRoute } from "./asyncapi.js";\n',
    publishing ? 'import { traceCauses } from "./causes.js";\n' : "",
    shown.length > 0 ? 'import { entitySchemas } from "./field-schemas.js";\n' : "",
    'import type { HttpContext } from "./http-context.js";\n',
    events ? 'import { parkedEventRoutes } from "./parked-event-routes.js";\n' : "",
  ];
  const imports = [
    publishing ? 'import { Type } from "typebox";\n' : "",
    'import type { Application } from "../../application/application.generated.js";\n',
    consuming ? 'import { SUBSCRIPTIONS } from "../../application/event-handlers/event-handlers.generated.js";\n' : "",
    ...shown
      .map(({ entity: { name } }) =>
        importOf(
          [`${name.camel}Fields`, `${name.camel}Keys`],
          `../../application/use-cases/${name.kebab}/${name.kebab}-use-cases.generated.js`,
        ),
      )
      .sort(byPath),
    ...others,
  ];
  const data = shown.map(
    ({ entity: { name } }) =>
      `const ${name.camel}Data = entitySchemas(${name.camel}Keys, ${name.camel}Fields).entity;\n`,
  );
  const deleted = published.some(({ changes }) => changes.includes("deleted"));
  const constants = [
    ...data,
    deleted ? 'const deletedData = Type.Object({ id: Type.String({ format: "uuid" }) });\n' : "",
  ];
  const rows: Source = { items: published.flatMap(rowsOf) };
  const needsApplication = events || sagas;
  return `${HEADER}import type { FastifyInstance } from "fastify";
${(deleted ? imports : imports.slice(1)).join("")}
${constants.join("")}${constants.join("") === "" ? "" : "\n"}export function eventRoutes(app: FastifyInstance, ${needsApplication ? "application" : "_application"}: Application, { settings }: HttpContext): void {
${publishing ? "  traceCauses(app, application);\n" : ""}${events ? "  parkedEventRoutes(app, application);\n" : ""}  asyncapiRoute(app, settings, {
${print(rows, "    published: ", ",", 4).replace(/^ {4}/, "    ")}
    consumed: ${consuming ? "SUBSCRIPTIONS" : "[]"},
    sagas: ${sagas ? 'settings.choreographed ? application.runs.definitions().filter(({ type }) => type === "saga") : []' : "[]"},
  });
}
`;
}

function rowsOf({ entity: { name }, changes }: PublishedModel): Source[] {
  return changes.map((change) => ({
    entries: [
      ["type", json(`${name.snake}.${change}`)],
      ["summary", json(SUMMARIES[change](name.pascal))],
      ["data", code(change === "deleted" ? "deletedData" : `${name.camel}Data`)],
    ],
  }));
}

const SUMMARIES: Readonly<Record<Change, (name: string) => string>> = {
  created: (name) => `${name}: one was created.`,
  updated: (name) => `${name}: one was changed.`,
  deleted: (name) => `${name}: one was deleted.`,
};
