import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { definitions } from "../../src/application/sagas/definitions.generated.js";
import { asOperator, startService, type TestService } from "./service.js";

const batches = definitions.filter(({ runType }) => runType === "batch").map(({ name }) => name);
const sagas = definitions.map(({ name }) => name).filter((name) => !batches.includes(name));
/** Those that need nothing but their services: no signal, no time, no input of a certain shape. */
const plain = definitions
  .filter(({ waves }) => waves.flatMap(({ steps }) => steps).every(isPlain))
  .map(({ name }) => name);
const [saga = "none"] = plain;

function isPlain(step: { readonly kind: string; readonly when?: unknown; readonly input?: unknown }): boolean {
  return step.kind === "action" && step.when === undefined && step.input === undefined;
}

const UNSEARCHABLE = [
  "until=now",
  "attribute=city",
  "attribute=:Rome",
  "attribute=city:Rome&attribute=city:Bonn",
  "business_key=",
  "size=large",
];

describe("runs over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const start = (query = "", body: unknown = {}, headers: Record<string, string> = {}) =>
    service.call("POST", `/api/v1/sagas/${saga}${query}`, body, headers);

  it.each(plain)("completes %s with every stage done once", async (name) => {
    const answer = await service.call("POST", `/api/v1/tasks/${name}?wait=15`, { input: {} });
    expect(answer.body).toMatchObject({ definition: name, type: "saga", status: "completed", input: {}, error: null });
    expect(answer.status).toBe(200);
    for (const step of answer.body.steps) expect(step).toMatchObject({ status: "completed", attempts: 1 });
    const journal = await service.call("GET", `/api/v1/runs/${answer.body.id}/journal`, undefined, asOperator);
    expect(journal.body.items.map((row: { seq: number }) => row.seq)).toEqual(
      journal.body.items.map((_: unknown, index: number) => index + 1),
    );
  });

  it.each(batches)(
    "starts the batch %s as a task, which is no saga, and cancels it between its chunks",
    async (name) => {
      expect((await service.call("POST", `/api/v1/sagas/${name}`, {})).status).toBe(404);
      const started = await service.call("POST", `/api/v1/tasks/${name}`, {});
      expect(started.status).toBe(202);
      const run = `/api/v1/runs/${started.body.id}`;
      expect((await service.call("GET", run)).body).toMatchObject({ definition: name, type: "batch" });
      const cancelled = await service.call("POST", `${run}/cancel`, { reason: "a test" }, asOperator);
      expect([202, 409]).toContain(cancelled.status);
      expect((await service.call("GET", `${run}/events`)).status).toBe(200);
      expect(["cancelled", "completed"]).toContain((await service.call("GET", run)).body.status);
    },
  );

  it("lists definitions and instances for operators only", async () => {
    expect((await service.call("GET", "/api/v1/definitions")).status).toBe(401);
    const { body } = await service.call("GET", "/api/v1/definitions", undefined, asOperator);
    expect(body.items.map((definition: { name: string }) => definition.name).sort()).toEqual(
      [...sagas, ...batches].sort(),
    );
    const instances = await service.call("GET", "/api/v1/instances", undefined, asOperator);
    expect(instances.body.items).toMatchObject([{ alive: true, contexts: expect.any(Number) }]);
  });

  it.each(["definitions", "instances", "runs", "runs/x/journal"])("keeps %s from strangers", async (path) => {
    expect((await service.call("GET", `/api/v1/${path}`)).body.code).toBe("operator-token-required");
    const stranger = { authorization: "Bearer nobody" };
    expect((await service.call("GET", `/api/v1/${path}`, undefined, stranger)).status).toBe(403);
  });

  it("knows no other saga and no other run", async () => {
    for (const name of ["none_of_ours", "constructor", "__proto__", "%00", "x".repeat(99)]) {
      expect((await service.call("POST", `/api/v1/sagas/${name}`, {})).body.code).toBe("definition-unknown");
    }
    for (const id of ["00000000-0000-7000-8000-000000000000", "constructor", "%00", "a'b"]) {
      expect((await service.call("GET", `/api/v1/runs/${id}`)).body.code).toBe("run-not-found");
    }
  });

  describe.skipIf(plain.length === 0)("of a saga", () => {
    it("accepts a start at once and says where the run is", async () => {
      const answer = await start();
      expect([answer.status, answer.body]).toEqual([202, { id: expect.any(String), status: "pending" }]);
      expect(answer.headers.get("location")).toBe(`/api/v1/runs/${answer.body.id}`);
      expect((await service.call("GET", `/api/v1/runs/${answer.body.id}`)).body).toMatchObject({
        id: answer.body.id,
        definition: saga,
      });
    });

    it("starts one run per idempotency key", async () => {
      const key = { "idempotency-key": `key-${Math.random()}` };
      const answers = await Promise.all(Array.from({ length: 8 }, () => start("", { input: { order: 1 } }, key)));
      expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
      expect(answers.filter((answer) => answer.headers.get("idempotency-replayed") === "true")).toHaveLength(7);
      const other = await start("", { input: { order: 2 } }, key);
      expect([other.status, other.body.code]).toEqual([409, "idempotency-key-reused"]);
      const ended = await start("?wait=15", { input: { order: 1 } }, key);
      expect([ended.status, ended.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    });

    it.each<[string, unknown, string]>([
      ["an input that is no object", { input: [1] }, ""],
      ["unknown keys", { inputs: {} }, ""],
      ["a wait over a minute", {}, "?wait=61"],
      ["a wait that is no number", {}, "?wait=soon"],
    ])("refuses %s", async (_what, body, query) => {
      const answer = await start(query, body);
      expect([answer.status, answer.body.code]).toEqual([422, "validation-failed"]);
    });

    it("refuses an idempotency key that is none", async () => {
      const answer = await start("", {}, { "idempotency-key": "k".repeat(300) });
      expect([answer.status, answer.body.code]).toEqual([400, "malformed-header"]);
    });

    it("links the run to the caller's session; another one needs the operator token", async () => {
      const { token, id } = (await service.call("POST", "/api/v1/sessions", { transport: "bearer" })).body;
      const own = await start("?wait=15", {}, { authorization: `Bearer ${token}` });
      expect(own.body.session_id).toBe(id);
      expect((await start("", { session_id: id })).status).toBe(401);
      expect((await start("", { session_id: id }, { authorization: `Bearer ${token}` })).status).toBe(403);
      expect((await start("?wait=15", { session_id: id }, asOperator)).body.session_id).toBe(id);
      expect((await start("", { session_id: "gone" }, asOperator)).status).toBe(422);
      const listed = await service.call("GET", `/api/v1/runs?session_id=${id}`, undefined, asOperator);
      expect(listed.body.items).toHaveLength(2);
    });

    it("pages through runs, newest first", async () => {
      await start("?wait=15");
      await start("?wait=15");
      const query = `/api/v1/runs?definition=${saga}&status=completed&limit=1`;
      const first = (await service.call("GET", query, undefined, asOperator)).body;
      const second = (await service.call("GET", `${query}&cursor=${first.next_cursor}`, undefined, asOperator)).body;
      expect(first.items[0].id > second.items[0].id).toBe(true);
      for (const bad of [
        "status=done",
        "since=yesterday",
        "cursor=nonsense",
        "cursor=%00",
        "limit=1000",
        ...UNSEARCHABLE,
      ]) {
        expect((await service.call("GET", `/api/v1/runs?${bad}`, undefined, asOperator)).status).toBe(422);
      }
    });

    it("streams a run's events and ends with the run", async () => {
      const { id } = (await start()).body;
      const stream = await fetch(`${service.url}/api/v1/runs/${id}/events`);
      expect(stream.headers.get("content-type")).toMatch(/^text\/event-stream/);
      const text = await stream.text();
      expect(text).toMatch(/^id: 1\nevent: records\ndata: \{"seq":1,/);
      expect(text).toMatch(/\nevent: end\ndata: \{"id":"[^"]+","status":"completed"\}\n\n$/);
    });

    it("has no stream for a HEAD request, which would hold its connection until the run ends", async () => {
      const { id } = (await start()).body;
      const answer = await service.call("HEAD", `/api/v1/runs/${id}/events`);
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET"]);
    });

    it.each([{}, { reason: "" }, { reason: "  " }, { reason: "x".repeat(501) }])(
      "asks a verb for a reason",
      async (body) => {
        const { id } = (await start()).body;
        expect((await service.call("POST", `/api/v1/runs/${id}/cancel`, body, asOperator)).status).toBe(422);
      },
    );

    it("forbids verbs that the state of a run does not allow", async () => {
      const { id } = (await start("?wait=15")).body;
      for (const verb of ["cancel", "pause", "resume", "retry", "compensate", "skip", "abandon"]) {
        const answer = await service.call("POST", `/api/v1/runs/${id}/${verb}`, { reason: "test" }, asOperator);
        expect([answer.status, answer.body.code]).toEqual([409, "verb-forbidden"]);
        expect(answer.body.detail).toContain("the run has ended: completed");
      }
    });

    it("takes a step with retry alone", async () => {
      const { id } = (await start("?wait=15")).body;
      const body = { reason: "test", step: "any" };
      expect((await service.call("POST", `/api/v1/runs/${id}/retry`, body, asOperator)).status).toBe(409);
      expect((await service.call("POST", `/api/v1/runs/${id}/resume`, body, asOperator)).status).toBe(422);
    });

    it("does with a key that has a run what the start says", async () => {
      const key = { "idempotency-key": `key-${Math.random()}` };
      const first = await start("?wait=15", { if_exists: "reject" }, key);
      expect(first.body.status).toBe("completed");
      const refused = await start("", { if_exists: "reject" }, key);
      expect([refused.status, refused.body.code]).toEqual([409, "run-exists"]);
      for (const if_exists of ["attach", "restart-if-failed"]) {
        const again = await start("?wait=15", { if_exists }, key);
        expect([again.body.id, again.headers.get("idempotency-replayed")]).toEqual([first.body.id, "true"]);
      }
      expect((await start("", { if_exists: "replace" }, key)).status).toBe(422);
    });

    it("finds runs by their business key, their attributes and their time, page by page", async () => {
      const customer = `c:${Math.random()}`;
      const ids: string[] = [];
      for (const city of ["Rome", "Bonn", "Rome", "Rome"]) {
        const body = { business_key: `order ${ids.length}`, attributes: { customer, city } };
        ids.unshift((await start("?wait=15", body)).body.id);
      }
      const find = async (query: Record<string, string> | [string, string][]) => {
        const path = `/api/v1/runs?${new URLSearchParams(query)}`;
        return (await service.call("GET", path, undefined, asOperator)).body;
      };
      const found = async (query: Record<string, string> | [string, string][]) =>
        (await find(query)).items.map((run: { id: string }) => run.id);
      const ofCustomer: [string, string] = ["attribute", `customer:${customer}`];
      const inRome: [string, string] = ["attribute", "city:Rome"];
      expect(await found([ofCustomer])).toEqual(ids);
      expect(await found([ofCustomer, ["business_key", "order 1"]])).toEqual([ids[2]]);
      const first = await find([ofCustomer, inRome, ["limit", "2"]]);
      expect(first.items).toMatchObject([
        { id: ids[0], business_key: "order 3", attributes: { customer, city: "Rome" }, restarted_from: null },
        { id: ids[1] },
      ]);
      expect(await found([ofCustomer, inRome, ["cursor", first.next_cursor]])).toEqual([ids[3]]);
      expect(await found([ofCustomer, ["until", "2020-01-01T00:00:00Z"]])).toEqual([]);
      expect(await found([ofCustomer, ["since", "2020-01-01T00:00:00Z"], ["until", "2999-01-01T00:00:00Z"]])).toEqual(
        ids,
      );
      expect(await found({ parent_id: ids[0] ?? "" })).toEqual([]);
    });

    it.each<[string, unknown]>([
      ["too many attributes", { attributes: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`a${n}`, ""])) }],
      ["an attribute that is no text", { attributes: { a: 1 } }],
      ["an attribute that is too long", { attributes: { a: "x".repeat(257) } }],
      ["an attribute without a proper name", { attributes: { "two words": "a" } }],
      ["an empty business key", { business_key: "" }],
    ])("refuses to start with %s", async (_what, body) => {
      expect((await start("", body)).status).toBe(422);
    });

    it("refuses a verb under a key that is none", async () => {
      const { id } = (await start("?wait=15")).body;
      const headers = { ...asOperator, "idempotency-key": "" };
      const answer = await service.call("POST", `/api/v1/runs/${id}/cancel`, { reason: "test" }, headers);
      expect([answer.status, answer.body.code]).toEqual([400, "malformed-header"]);
    });

    it("takes no signal for a run that ended, and none that is malformed", async () => {
      const { id } = (await start("?wait=15")).body;
      const signal = async (name: string, body: unknown, headers: Record<string, string> = {}) => {
        const answer = await service.call("POST", `/api/v1/runs/${id}/signals/${name}`, body, headers);
        return [answer.status, answer.body.code];
      };
      expect(await signal("go", { payload: { by: "ann" } })).toEqual([409, "run-ended"]);
      expect(await signal("no%20name", {})).toEqual([422, "validation-failed"]);
      expect(await signal("go", { data: 1 })).toEqual([422, "validation-failed"]);
      expect(await signal("go", {}, { "idempotency-key": "" })).toEqual([400, "malformed-header"]);
    });
  });

  it("knows no run to signal", async () => {
    const answer = await service.call("POST", "/api/v1/runs/00000000-0000-7000-8000-000000000000/signals/go", {});
    expect([answer.status, answer.body.code]).toEqual([404, "run-not-found"]);
  });

  it.skipIf(plain.length === 0)("exchanges no token when its answer may come after the grace", async () => {
    const rotating = await startService({ SESSION_ROTATION_PERIOD: "2ms", SESSION_ROTATION_GRACE_PERIOD: "1ms" });
    try {
      const [cookie = ""] =
        (await rotating.call("POST", "/api/v1/sessions")).headers.get("set-cookie")?.split(";") ?? [];
      const from = Date.now();
      await expect.poll(() => Date.now() - from).toBeGreaterThan(5);
      const started = await rotating.call("POST", `/api/v1/sagas/${saga}?wait=15`, {}, { cookie });
      const events = await rotating.call("GET", `/api/v1/runs/${started.body.id}/events`, undefined, { cookie });
      for (const { status, headers } of [started, events])
        expect([status, headers.get("set-cookie")]).toEqual([200, null]);
      const read = await rotating.call("GET", `/api/v1/runs/${started.body.id}`, undefined, { cookie });
      expect([read.status, read.headers.get("set-cookie")]).toEqual([
        200,
        expect.stringMatching(/^session=[\w-]{80};/),
      ]);
    } finally {
      await rotating.close();
    }
  });

  it("lets nobody but the operator start and read with http.auth token", async () => {
    const guarded = await startService({ HTTP_AUTH: "token" });
    try {
      expect((await guarded.call("POST", `/api/v1/sagas/${saga}`, {})).status).toBe(401);
      expect((await guarded.call("GET", "/api/v1/runs/x")).status).toBe(401);
      expect((await guarded.call("GET", "/api/v1/runs/x", undefined, asOperator)).status).toBe(404);
    } finally {
      await guarded.close();
    }
  });

  it.skipIf(plain.length === 0)("shows a client the runs of its own session only with http.auth session", async () => {
    const guarded = await startService({ HTTP_AUTH: "session" });
    try {
      const login = async () => {
        const { token } = (await guarded.call("POST", "/api/v1/sessions", { transport: "bearer" })).body;
        return { authorization: `Bearer ${token}` };
      };
      const [owner, other] = [await login(), await login()];
      expect((await guarded.call("POST", `/api/v1/sagas/${saga}`, {})).status).toBe(401);
      const { id } = (await guarded.call("POST", `/api/v1/sagas/${saga}`, {}, owner)).body;
      expect((await guarded.call("GET", `/api/v1/runs/${id}`, undefined, owner)).status).toBe(200);
      expect((await guarded.call("GET", `/api/v1/runs/${id}`, undefined, other)).status).toBe(404);
      expect((await guarded.call("GET", `/api/v1/runs/${id}/events`, undefined, other)).status).toBe(404);
      expect((await guarded.call("GET", `/api/v1/runs/${id}`, undefined, asOperator)).status).toBe(200);
      const keyed = (caller: object) =>
        guarded.call("POST", `/api/v1/sagas/${saga}?wait=15`, {}, { "idempotency-key": "mine", ...caller });
      expect((await keyed(owner)).status).toBe(200);
      expect((await keyed(owner)).headers.get("idempotency-replayed")).toBe("true");
      const foreign = await keyed(other);
      expect([foreign.status, foreign.body.code]).toEqual([409, "idempotency-key-reused"]);
      expect((await keyed(asOperator)).status).toBe(200);
    } finally {
      await guarded.close();
    }
  });
});
