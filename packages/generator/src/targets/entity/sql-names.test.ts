import { expect, test } from "vitest";
import { renderText } from "./rendered.test.support.js";
import { indexesOf } from "./sql-names.js";

test("names of indexes fit PostgreSQL and differ, however long and alike their columns are", () => {
  const long = "abcdefghijklmnopqrstuvwxyz0123456789_abcdefghijklmnop";
  const fields = ["x", "y"].map((end) => `{ name: ${long}${end}, type: string, unique: true }`).join(", ");
  const { model } = renderText(`domain: { entities: [{ name: Thing, fields: [${fields}] }] }`);
  const names =
    indexesOf(model.entities)
      .get("Thing")
      ?.map(({ name }) => name) ?? [];
  expect(new Set(names).size).toBe(2);
  for (const name of names) expect(name.length).toBeLessThanOrEqual(63);
});

test("an index does not take the name of a table", () => {
  const { model } = renderText(`domain:
  entities:
    - { name: Thing, fields: [{ name: size, type: string }, { name: sizes, type: string }], indexes: [{ fields: [sizes] }] }
    - { name: IdxThingsSize, fields: [{ name: size, type: string }] }`);
  expect(model.entities.map(({ plural }) => plural.snake)).toContain("idx_things_sizes");
  expect(
    indexesOf(model.entities)
      .get("Thing")
      ?.map(({ name }) => name),
  ).toEqual(["idx_things_sizes_2"]);
});

test("a reference gets an index unless another begins with it", () => {
  const { model } = renderText(`domain:
  entities:
    - { name: Thing, fields: [{ name: size, type: string }] }
    - name: Part
      fields:
        - { name: thing_id, type: reference, entity: Thing }
        - { name: other_id, type: reference, entity: Thing }
      indexes: [{ fields: [other_id, created_at] }]`);
  expect(
    indexesOf(model.entities)
      .get("Part")
      ?.map(({ name }) => name),
  ).toEqual(["idx_parts_other_id_created_at", "idx_parts_thing_id"]);
});
