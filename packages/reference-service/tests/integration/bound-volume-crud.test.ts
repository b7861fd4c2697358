/** Yours: the life of BoundVolume over HTTP. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EntityService, startEntityService } from "./entity-service.js";

const path = "/api/v1/bound-volumes";

let service: EntityService;
beforeEach(async () => {
  service = await startEntityService();
});
afterEach(() => service.close());

async function sample(): Promise<Record<string, unknown>> {
  return {
    title: "some title",
    call_number: "AA-7777",
    summary: "some summary",
    page_count: 1,
    word_count: "0",
    price: "0",
    in_print: true,
    edition_key: "0190b2f6-5c8a-7c3e-9d1f-2b6a4e8c0d11",
    published_on: "2026-01-31",
    bound_at: "2026-01-31T09:30:00.000Z",
    colophon: { note: "any" },
    binding: "paperback",
  };
}

test("BoundVolume over HTTP: created, read, listed, changed, deleted", async () => {
  const values = await sample();
  const created = await service.call("POST", path, values);
  expect(created).toMatchObject({ status: 201, headers: { etag: '"1"' }, body: { ...values, revision: 1 } });
  const one = `${path}/${created.body.id}`;
  expect(created.headers.location).toBe(one);

  expect(await service.call("GET", one)).toMatchObject({ status: 200, body: created.body });

  const page = await service.call("GET", path);
  expect(page).toMatchObject({ status: 200, body: { items: [created.body], next_cursor: null } });

  const changed = await service.call("PATCH", one, {}, { "if-match": '"1"' });
  expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { ...values, revision: 2 } });
  expect(await service.call("PATCH", one, {}, { "if-match": '"1"' })).toMatchObject({ status: 412 });

  expect(await service.call("DELETE", one, undefined, { "if-match": '"9"' })).toMatchObject({ status: 412 });
  expect(await service.call("DELETE", one, undefined, { "if-match": '"2"' })).toMatchObject({ status: 204 });
  expect(await service.call("GET", one)).toMatchObject({ status: 404, body: { code: "not-found" } });
});

test("BoundVolume over HTTP: what does not fit is refused by name", async () => {
  const refused = await service.call("POST", path, { ...(await sample()), no_such_field: 1 });
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: "no_such_field" }] } });
});
