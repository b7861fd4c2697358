import type { EntitySource, Json } from "@clean-arch/runtime";
import type { Identified } from "../domain/fields.js";
import { viewOf } from "./entity-view.js";
import type { Conditions, Repository } from "./ports/repository.js";

/**
 * Entities as the items of a batch, each under its id and as it is shown to others. They come in the order of their ids, which is that
 * of their creation: one that is created while the batch reads comes, too; one that does not meet the conditions any more is left out.
 */
export function entityItems(
  repository: Pick<Repository<Identified>, "page" | "count">,
  keys: Readonly<Record<string, string>>,
): EntitySource {
  const present = viewOf(keys);
  const properties = new Map(Object.entries(keys).map(([property, key]) => [key, property]));
  const itemOf = (entity: Identified) => ({ key: entity.id, item: present(entity) as Json });
  return (wanted) => {
    const where: Conditions = Object.fromEntries(
      Object.entries(wanted).map(([key, value]) => [properties.get(key) ?? key, value]),
    );
    return {
      async read({ after, until, limit }) {
        const items = [];
        let from = after as string | null;
        do {
          const page = await repository.page({ limit, after: from, until: until as string | null, where });
          items.push(...page.items.map(itemOf));
          from = page.next;
          // Up to a place, all of them are wanted.
        } while (from !== null && until !== null);
        return { items, next: from, ...(items.length > 0 && { last: items.at(-1)?.key ?? null }) };
      },
      count: () => repository.count(where),
    };
  };
}
