/**
 * Files that differ from entity to entity by its name only: copied from the reference service's sample entity. The
 * sample's name occurs in these files as the entity's name and as nothing else, in every case a name can have.
 */
import type { EntityModel } from "../../model.js";
import { type Names, namesOf, pluralOf } from "../../naming.js";
import type { Template } from "../../template.js";

export const SAMPLE = { name: namesOf("BoundVolume"), plural: pluralOf("BoundVolume") };

const CASES = ["pascal", "camel", "kebab", "snake", "constant"] as const;

/** The sample's file at `path`, renamed for `entity`: its path there and its text. */
export function copyFor(entity: EntityModel, template: Template, path: string): { path: string; content: string } {
  const original = template.files.get(path);
  if (original === undefined) throw new Error(`the template lacks ${path}`);
  const rename = renaming(entity);
  return { path: rename(path), content: rename(original) };
}

function renaming(entity: EntityModel): (text: string) => string {
  const pairs = new Map<string, string>();
  const add = (from: Names, to: Names): void => {
    for (const form of CASES) pairs.set(from[form], to[form]);
  };
  add(SAMPLE.name, entity.name);
  add(SAMPLE.plural, entity.plural);
  // The longest first, or a plural would be taken for a singular and an s.
  const words = [...pairs.keys()].sort((a, b) => b.length - a.length);
  // In one pass, so that nothing is renamed twice whatever the new name contains.
  const pattern = new RegExp(words.join("|"), "g");
  return (text) => text.replace(pattern, (word) => pairs.get(word) ?? word);
}
