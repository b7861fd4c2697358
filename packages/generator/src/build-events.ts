/** The events of the model: which changes of which entities are told, and who handles what of whom. */
import { sha256 } from "./hash.js";
import type { EntityModel, EventHandlerModel, EventsModel } from "./model.js";
import { type Names, namesOf } from "./naming.js";
import { CHANGES } from "./spec/rules/events.js";
import type { Config } from "./spec/schema.js";

export function buildEvents({ events }: Config, project: Names, entities: readonly EntityModel[]): EventsModel {
  const types = events?.publish ?? [];
  const published = entities.map((entity) => ({
    entity,
    changes: CHANGES.filter((change) => types.includes(`${entity.name.snake}.${change}`)),
  }));
  const handlers = new Map<string, EventHandlerModel & { readonly subjects: string[] }>();
  for (const { subject, handler, from } of events?.consume ?? []) {
    const source = from === undefined ? null : namesOf(from).kebab;
    const known = handlers.get(handler) ?? {
      name: namesOf(handler),
      group: groupOf(project.kebab, handler),
      from: source === project.kebab ? null : source,
      subjects: [],
    };
    known.subjects.push(subject);
    handlers.set(handler, known);
  }
  return { published: published.filter(({ changes }) => changes.length > 0), handlers: [...handlers.values()] };
}

/** What brokers take. */
const MAX_GROUP_LENGTH = 64;
const HASH_LENGTH = 12;

function groupOf(project: string, handler: string): string {
  const group = `${project}-${handler}`;
  if (group.length <= MAX_GROUP_LENGTH) return group;
  return `${group.slice(0, MAX_GROUP_LENGTH - HASH_LENGTH - 1)}-${sha256(group).slice(0, HASH_LENGTH)}`;
}
