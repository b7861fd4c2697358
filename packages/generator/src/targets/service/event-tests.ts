/** Tests that a project begins with: of what is told of each entity, and of each handler. */
import { literal } from "../../emit.js";
import type { EntityModel, EventHandlerModel, Model, PublishedModel } from "../../model.js";
import { sampleFunction } from "../entity/sample.js";
import { code, json, print, type Source } from "../entity/source.js";
import type { TargetFile } from "../target-file.js";

export function eventTestFiles({ events, entities }: Model): TargetFile[] {
  return [
    ...events.published.flatMap(({ entity, changes }): TargetFile[] => {
      const told = changes.filter((change) => entity.useCases.includes(CALLS[change].useCase));
      // Of the others it is for the user's own code to cause them.
      if (told.length === 0) return [];
      const path = `tests/integration/${entity.name.kebab}-events.test.ts`;
      return [{ path, owner: "once", content: publishedText({ entity, changes: told }, entities) }];
    }),
    ...events.handlers.map((handler): TargetFile => {
      const path = `tests/unit/event-handlers/${handler.name.kebab}.test.ts`;
      return { path, owner: "once", content: handlerText(handler) };
    }),
  ];
}

const CALLS = {
  created: { useCase: "create", statement: "" },
  updated: { useCase: "update", statement: '  const changed = (await service.call("PATCH", one, {})).body;\n' },
  deleted: { useCase: "delete", statement: '  await service.call("DELETE", one);\n' },
} as const;
const DATA = { created: "created", updated: "changed", deleted: "{ id: created.id }" } as const;

function publishedText({ entity, changes: told }: PublishedModel, entities: readonly EntityModel[]): string {
  const { pascal, snake } = entity.name;
  const head = `/** Yours: what others are told of ${pascal}. */\n`;
  const sample = sampleFunction(entity, entities);
  if (typeof sample !== "string")
    return `${head}import { test } from "vitest";\n\ntest.todo(${literal(`${pascal}: ${sample.missing}`)});\n`;
  const needsPlace = told.some((change) => change !== "created");
  const calls = told.map((change) => CALLS[change].statement).join("");
  const rows = told.map((change): Source => {
    const data = code(DATA[change]);
    return {
      entries: [
        ["type", json(`${snake}.${change}`)],
        ["subject", code("created.id")],
        ["data", data],
      ],
    };
  });
  return `${head}import { afterEach, beforeEach, expect, test } from "vitest";
import { type HeardEvents, hearEvents } from "./heard-events.js";
import { startService, type TestService } from "./service.js";

const path = "/api/v1/${entity.plural.kebab}";

let service: TestService;
let heard: HeardEvents;
beforeEach(async () => {
  service = await startService();
  heard = await hearEvents(service, ["${snake}.*"]);
});
afterEach(async () => {
  await heard.close();
  await service.close();
});

${sample}
test("others are told of ${pascal}: ${told.join(", ")}", async () => {
  const created = (await service.call("POST", path, await sample())).body;
${needsPlace ? "  const one = `${path}/${created.id}`;\n" : ""}${calls}  await heard.heard(${told.length});
  ${print({ items: rows }, "expect(heard.events).toMatchObject(", ");", 2)}
});
`;
}

function handlerText({ name, from, subjects }: EventHandlerModel): string {
  const type = (subjects[0] ?? "").replaceAll(/[*>]/g, "any");
  const source = from === null ? "this-service" : from;
  const event: Source = {
    entries: [
      ["source", json(`/services/${source}`)],
      ["type", json(type)],
      ["subject", json("one")],
      ["data", json({})],
    ],
  };
  return `/** Yours: what ${name.raw} does about an event. */
import { cloudEvent } from "@clean-arch/runtime";
import { expect, test } from "vitest";
import type { EventDeps } from "../../../src/application/event-handlers/event-handler.generated.js";
import { ${name.camel} } from "../../../src/application/event-handlers/${name.kebab}.js";

test("${name.raw} handles ${type}", async () => {
  const told: object[] = [];
  const say = (facts: object): void => void told.push(facts);
  const deps = { logger: { debug: say, info: say, warn: say, error: say } } as unknown as EventDeps;
  ${print(event, "const event = cloudEvent(", ");", 2)}
  const context = { attempt: 1, signal: new AbortController().signal, publish: () => {} };
  await ${name.camel}(event, deps, context);
  expect(told).toMatchObject([{ event: event.id, type: "${type}", subject: "one" }]);
});
`;
}
