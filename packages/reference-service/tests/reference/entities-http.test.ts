import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openSqlite } from "../../src/infrastructure/persistence/sqlite/database.js";
import { type Answer, type EntityService, startEntityService } from "../integration/entity-service.js";
import { execute } from "./execute.js";

const volumes = "/api/v1/bound-volumes";
const marks = "/api/v1/shelf-marks";
const NOBODY = "0190b2f6-5c8a-7c3e-9d1f-2b6a4e8c0d11";

let service: EntityService;
beforeAll(async () => {
  service = await startEntityService();
});
beforeEach(() => execute(service, "DELETE FROM shelf_marks; DELETE FROM bound_volumes"));
afterAll(() => service.close());

let serial = 0;
const volume = (more: object = {}): object => {
  serial += 1;
  return { title: "Faust", call_number: `AB-${1000 + serial}`, page_count: 5, price: "1", ...more };
};
const paths = ({ body }: Answer): unknown => (body.errors as { path: string }[] | undefined)?.map(({ path }) => path);

test("gives every field back as it was meant, exactly", async () => {
  const sent = {
    word_count: "9223372036854775807",
    price: "99999.90",
    edition_key: NOBODY.toUpperCase(),
    published_on: "2024-02-29",
    bound_at: "2026-01-31T10:30:00+01:00",
    colophon: { list: [1, "two", null, { three: 3.5 }], "a.b": true },
    binding: "leather",
    summary: "line\nline 😀 ' \" \\ ; DROP TABLE",
  };
  const created = await service.call("POST", volumes, volume(sent));
  expect(created.body).toMatchObject({
    ...sent,
    edition_key: NOBODY,
    bound_at: "2026-01-31T09:30:00.000Z",
    in_print: true,
    revision: 1,
  });
  const read = await service.call("GET", String(created.headers.location));
  expect(read.body).toEqual(created.body);
  expect(read.headers.etag).toBe('"1"');
  expect(Object.keys(read.body)).toEqual([
    "id",
    "revision",
    "title",
    "call_number",
    "summary",
    "page_count",
    "word_count",
    "price",
    "in_print",
    "edition_key",
    "published_on",
    "bound_at",
    "colophon",
    "binding",
    "created_at",
    "updated_at",
  ]);
});

test("takes bigints and decimals as numbers too, as long as they are exact", async () => {
  const exact = await service.call("POST", volumes, volume({ word_count: 9007199254740991, price: 19.9 }));
  expect(exact.body).toMatchObject({ word_count: "9007199254740991", price: "19.9" });
  const body =
    '{"title":"a","call_number":"AB-0001","page_count":1,"word_count":9007199254740993,"price":0.1234567890123456789}';
  expect(paths(await service.call("POST", volumes, body))).toEqual(["word_count", "price"]);
  expect(paths(await service.call("POST", volumes, volume({ price: "99999.990000000000000000001" })))).toEqual([
    "price",
  ]);
});

describe("conflicts", () => {
  test("a value that is taken is 409 and names its field, on creation and on change", async () => {
    const first = await service.create(volumes, volume({ call_number: "AB-0001" }));
    const second = await service.create(volumes, volume({ call_number: "AB-0002" }));
    const taken = { status: 409, body: { code: "unique-violation", errors: [{ path: "call_number" }] } };
    expect(await service.call("POST", volumes, volume({ call_number: "AB-0001" }))).toMatchObject(taken);
    expect(await service.call("PATCH", `${volumes}/${second}`, { call_number: "AB-0001" })).toMatchObject(taken);
    expect(await service.call("PATCH", `${volumes}/${first}`, { call_number: "AB-0001" })).toMatchObject({
      status: 200,
    });
  });

  test("values that are taken together name them all", async () => {
    const bound_volume_id = await service.create(volumes, volume());
    await service.create(marks, { label: "A", bound_volume_id });
    const taken = await service.call("POST", marks, { label: "A", bound_volume_id });
    expect(taken.status).toBe(409);
    expect(paths(taken)).toEqual(["label", "bound_volume_id"]);
  });

  test("a reference to nothing is 422 and names its field", async () => {
    const bound_volume_id = await service.create(volumes, volume());
    const lost = await service.call("POST", marks, {
      label: "A",
      bound_volume_id,
      companion_id: NOBODY,
      replaces_id: NOBODY,
    });
    expect(lost).toMatchObject({ status: 422, body: { code: "reference-missing" } });
    expect(paths(lost)).toEqual(["companion_id", "replaces_id"]);
  });

  test("deleting cascades, restricts or clears, as each reference says", async () => {
    const bound_volume_id = await service.create(volumes, volume());
    const companion_id = await service.create(volumes, volume());
    const old = await service.create(marks, { label: "old", bound_volume_id, companion_id });
    const replaces_id = old;
    const other = await service.create(volumes, volume());
    const heir = await service.create(marks, { label: "heir", bound_volume_id: other, replaces_id });

    const restricted = await service.call("DELETE", `${volumes}/${companion_id}`);
    expect(restricted).toMatchObject({ status: 409, body: { code: "still-referenced" } });
    expect(await service.call("DELETE", `${volumes}/${bound_volume_id}`)).toMatchObject({ status: 204 });
    expect(await service.call("GET", `${marks}/${old}`)).toMatchObject({ status: 404 });
    expect((await service.call("GET", `${marks}/${heir}`)).body.replaces_id).toBeNull();
    expect(await service.call("DELETE", `${volumes}/${companion_id}`)).toMatchObject({ status: 204 });
  });
});

describe("changes", () => {
  test("a merge patch keeps, clears, replaces and merges, as either media type", async () => {
    const path = `${volumes}/${await service.create(volumes, volume({ summary: "s", colophon: { a: 1, b: { c: 2 } } }))}`;
    const patch = { summary: null, page_count: 9, colophon: { a: null, b: { d: 3 } } };
    expect((await service.call("PATCH", path, patch)).body).toMatchObject({
      summary: null,
      page_count: 9,
      title: "Faust",
    });
    const changed = await service.call("PATCH", path, { title: "G" }, { "content-type": "application/json" });
    expect(changed.body).toMatchObject({ title: "G", revision: 3, colophon: { b: { c: 2, d: 3 } } });
  });

  test("If-Match guards a change and a deletion; what it cannot read it refuses", async () => {
    const path = `${volumes}/${await service.create(volumes, volume())}`;
    const patch = (match: string) => service.call("PATCH", path, { page_count: 7 }, { "if-match": match });
    expect(await patch('"1"')).toMatchObject({ status: 200 });
    for (const stale of ['"1"', 'W/"2"', '"other"', '"1", "3"', '"99999999999999999999"']) {
      expect(await patch(stale), stale).toMatchObject({ status: 412, body: { code: "revision-moved" } });
    }
    for (const broken of ["2", '"2', "", "\t", '"2";', `"${"x".repeat(2000)}"`]) {
      expect(await patch(broken), broken).toMatchObject({ status: 400, body: { code: "malformed-header" } });
    }
    expect(await patch('"7", "2"')).toMatchObject({ status: 200 });
    expect(await patch("*")).toMatchObject({ status: 200 });
    const remove = (match: string) => service.call("DELETE", path, undefined, { "if-match": match });
    expect(await remove('"1"')).toMatchObject({ status: 412 });
    expect(await remove('"4"')).toMatchObject({ status: 204 });
    expect(await remove('"4"')).toMatchObject({ status: 404 });
  });

  test("of many who change what they read, one wins; of many who do not care, all do", async () => {
    const path = `${volumes}/${await service.create(volumes, volume())}`;
    const guarded = await Promise.all(
      Array.from({ length: 8 }, () => service.call("PATCH", path, { page_count: 7 }, { "if-match": '"1"' })),
    );
    expect(guarded.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 412)]);
    const free = await Promise.all(
      Array.from({ length: 4 }, (_, i) => service.call("PATCH", path, { colophon: { [`k${i}`]: i } })),
    );
    expect(free.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await service.call("GET", path)).body).toMatchObject({
      revision: 6,
      colophon: { k0: 0, k1: 1, k2: 2, k3: 3 },
    });
  });
});

describe("pages", () => {
  const titles = (page: Answer): unknown => (page.body.items as { title: string }[]).map(({ title }) => title);

  test("lead through all of them in order, whatever is inserted or deleted meanwhile", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.push(await service.create(volumes, volume({ title: `${i}` })));
    const first = await service.call("GET", `${volumes}?limit=2`);
    expect(titles(first)).toEqual(["0", "1"]);
    await service.call("DELETE", `${volumes}/${ids[1]}`);
    await service.create(volumes, volume({ title: "new" }));
    const second = await service.call("GET", `${volumes}?limit=3&cursor=${first.body.next_cursor}`);
    expect(titles(second)).toEqual(["2", "3", "4"]);
    const third = await service.call("GET", `${volumes}?limit=1&cursor=${second.body.next_cursor}`);
    expect(titles(third)).toEqual(["new"]);
    expect(third.body.next_cursor).toBeNull();
  });

  test("hold 50 unless asked, and at most 200", async () => {
    for (let i = 0; i < 51; i += 1) await service.create(volumes, volume());
    expect(titles(await service.call("GET", volumes))).toHaveLength(50);
    expect(titles(await service.call("GET", `${volumes}?limit=200`))).toHaveLength(51);
  });

  test.each(["0", "201", "-1", "1.5", "x", "", "1e1", "%00", "1&limit=2", "9".repeat(5000)])(
    "refuse limit=%s",
    async (limit) => {
      const refused = await service.call("GET", `${volumes}?limit=${limit}`);
      expect(refused).toMatchObject({ status: 422, body: { code: "validation-failed", errors: [{ path: "limit" }] } });
    },
  );

  test.each(["", "x", "AAAA", "%00", "A".repeat(23), "__proto__", "a&cursor=b", "A".repeat(10_000)])(
    "refuse cursor=%s",
    async (cursor) => {
      const refused = await service.call("GET", `${volumes}?cursor=${cursor}`);
      expect(refused).toMatchObject({ status: 422, body: { code: "cursor-invalid" } });
    },
  );
});

describe("hostile bodies", () => {
  const deep = "[".repeat(5000) + "]".repeat(5000);
  test.each([
    ["", 422],
    ["null", 422],
    ["[]", 422],
    ['"text"', 422],
    ["{", 400],
    ["\ufeff\0", 400],
    ['{"__proto__": {"title": "a"}}', 422],
    ['{"constructor": {"prototype": {}}}', 422],
    ['{"hasOwnProperty": 1, "toString": 2}', 422],
    ['{"id": "x", "revision": 1, "created_at": "x"}', 422],
    ['{"pageCount": 1}', 422],
    ['{"title": "\\u0000"}', 422],
    ['{"title": "\\ud800"}', 422],
    ['{"price": 1e400}', 422],
    [`{"price": ${"9".repeat(400)}}`, 422],
    [`{"word_count": "${"9".repeat(100_000)}"}`, 422],
    [`{"colophon": ${deep}}`, 422],
    ['{"colophon": {"a": {"__proto__": 1}}}', 422],
    [`{"call_number": "${"A".repeat(100_000)}"}`, 422],
    [`{${Array.from({ length: 5000 }, (_, i) => `"k${i}":1`).join(",")}}`, 422],
  ])("%.60s is refused on creation and on change", async (body, status) => {
    const path = `${volumes}/${await service.create(volumes, volume())}`;
    for (const answer of [await service.call("POST", volumes, body), await service.call("PATCH", path, body)]) {
      expect(answer.status).toBe(status);
      expect(answer.headers["content-type"]).toContain("application/problem+json");
      expect(JSON.stringify(answer.body).length).toBeLessThan(4000);
      expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:|SQLITE/);
    }
  });

  test("names everything that does not fit at once, in the body's own names", async () => {
    const refused = await service.call("POST", volumes, {
      title: "",
      page_count: 0,
      price: "x",
      in_print: null,
      bound_at: 5,
    });
    expect(paths(refused)).toEqual(["title", "call_number", "page_count", "price", "in_print", "bound_at"]);
  });

  test.each(["x", "1", "..%2f..", "%00", "' OR 1=1 --", NOBODY.replace(/-/g, ""), "a".repeat(90)])(
    "an id like %s is not found",
    async (id) => {
      for (const method of ["GET", "DELETE"] as const) {
        expect(await service.call(method, `${volumes}/${encodeURIComponent(id)}`)).toMatchObject({ status: 404 });
      }
      expect(await service.call("PATCH", `${volumes}/${encodeURIComponent(id)}`, {})).toMatchObject({ status: 404 });
    },
  );

  test("other media types are 415", async () => {
    const sent = await service.call("POST", volumes, "title=a", {
      "content-type": "application/x-www-form-urlencoded",
    });
    expect(sent.status).toBe(415);
  });
});

test("a use case that was not asked for has no route", async () => {
  expect((await service.call("GET", marks)).status).toBe(404);
});

test("a database that another connection has locked is 503, and serves again afterwards", async () => {
  const folder = mkdtempSync(join(tmpdir(), "entities-"));
  const shared = await startEntityService(join(folder, "shared.db"));
  await execute(shared, "PRAGMA busy_timeout = 0");
  const other = openSqlite(join(folder, "shared.db"));
  other.exec("BEGIN IMMEDIATE");
  const locked = await shared.call("POST", volumes, volume());
  expect(locked).toMatchObject({ status: 503, headers: { "retry-after": "1" }, body: { code: "store-unavailable" } });
  expect((await shared.call("GET", volumes)).status).toBe(200);
  other.exec("COMMIT");
  expect((await shared.call("POST", volumes, volume())).status).toBe(201);
  other.close();
  await shared.close();
  rmSync(folder, { recursive: true });
});

test("refuses a query it does not know, which would seem to filter", async () => {
  const answer = await service.call("GET", `${volumes}?binding=leather&limit=5`);
  expect([answer.status, paths(answer)]).toEqual([422, ["binding"]]);
});
