/** `tests/integration/<entity>-crud.test.ts`: the life of one entity over HTTP, with values made up to fit its fields. */
import { literal } from "../../emit.js";
import type { EntityModel } from "../../model.js";
import { sampleFunction } from "./sample.js";

export function crudTestFile(entity: EntityModel, entities: readonly EntityModel[]): string {
  const { pascal } = entity.name;
  const sample = sampleFunction(entity, entities);
  const head = `/** Yours: the life of ${pascal} over HTTP. */\n`;
  if (typeof sample !== "string") {
    return `${head}import { test } from "vitest";\n\ntest.todo(${literal(`${pascal}: ${sample.missing}`)});\n`;
  }
  const has = (useCase: EntityModel["useCases"][number]): boolean => entity.useCases.includes(useCase);
  const parts = [
    CREATED,
    has("get") ? READ : "",
    has("list") ? LISTED : "",
    has("update") ? CHANGED : "",
    has("delete") ? DELETED(has("update") ? 2 : 1, has("get")) : "",
  ];
  return `${head}import { afterEach, beforeEach, expect, test } from "vitest";
import { type EntityService, startEntityService } from "./entity-service.js";

const path = "/api/v1/${entity.plural.kebab}";

let service: EntityService;
beforeEach(async () => {
  service = await startEntityService();
});
afterEach(() => service.close());

${sample}
test("${pascal} over HTTP: ${["created", ...LIFE.filter(([useCase]) => has(useCase)).map(([, word]) => word)].join(", ")}", async () => {
${parts.filter((part) => part !== "").join("\n")}});

test("${pascal} over HTTP: what does not fit is refused by name", async () => {
  const refused = await service.call("POST", path, { ...(await sample()), no_such_field: 1 });
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: "no_such_field" }] } });
});
`;
}

const LIFE = [
  ["get", "read"],
  ["list", "listed"],
  ["update", "changed"],
  ["delete", "deleted"],
] as const;

const CREATED = `  const values = await sample();
  const created = await service.call("POST", path, values);
  expect(created).toMatchObject({ status: 201, headers: { etag: '"1"' }, body: { ...values, revision: 1 } });
  const one = \`\${path}/\${created.body.id}\`;
  expect(created.headers.location).toBe(one);
`;

const READ = `  expect(await service.call("GET", one)).toMatchObject({ status: 200, body: created.body });
`;

const LISTED = `  const page = await service.call("GET", path);
  expect(page).toMatchObject({ status: 200, body: { items: [created.body], next_cursor: null } });
`;

const CHANGED = `  const changed = await service.call("PATCH", one, {}, { "if-match": '"1"' });
  expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { ...values, revision: 2 } });
  expect(await service.call("PATCH", one, {}, { "if-match": '"1"' })).toMatchObject({ status: 412 });
`;

const DELETED = (
  revision: number,
  readable: boolean,
): string => `  expect(await service.call("DELETE", one, undefined, { "if-match": '"9"' })).toMatchObject({ status: 412 });
  expect(await service.call("DELETE", one, undefined, { "if-match": '"${revision}"' })).toMatchObject({ status: 204 });
  expect(await service.call("${readable ? "GET" : "DELETE"}", one)).toMatchObject({ status: 404, body: { code: "not-found" } });
`;
