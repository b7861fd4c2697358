/** A batch over the records of an entity, as clients and operators see it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asOperator, startService, type TestService } from "../integration/service.js";

describe("a batch over HTTP", () => {
  let service: TestService;
  const leather: string[] = [];
  beforeAll(async () => {
    service = await startService();
    const volume = { title: "Faust", page_count: 9, price: "1.50" };
    const create = (n: number, binding: string): Promise<string> =>
      service.create("/api/v1/bound-volumes", {
        ...{ ...volume, title: `Faust ${n}`, binding },
        call_number: `AB-${String(n).padStart(4, "0")}`,
      });
    for (let n = 0; n < 60; n += 1) {
      if (n % 6 === 0) await create(n, "paperback");
      else leather.push(await create(n, "leather"));
    }
  });
  afterAll(() => service.close());

  const start = async (input: object): Promise<string> =>
    (await service.call("POST", "/api/v1/tasks/reprice_volumes", { input })).body.id;
  const get = async (id: string) => (await service.call("GET", `/api/v1/runs/${id}`)).body;
  const operator = (method: string, path: string, body?: unknown, headers = {}) =>
    service.call(method, `/api/v1/runs/${path}`, body, { ...asOperator, ...headers });

  /** Reads the run's events until one of them says so, or it has ended. */
  async function until(id: string, status: "completed" | "stuck") {
    const stop = new AbortController();
    const answer = await fetch(`${service.url}/api/v1/runs/${id}/events`, { signal: stop.signal });
    let text = "";
    for await (const bytes of answer.body ?? []) {
      text += Buffer.from(bytes).toString();
      if (text.includes(`"kind":"${status}"`)) break;
    }
    stop.abort();
    const run = await get(id);
    expect(run.status).toBe(status);
    return run;
  }

  it("goes through the records that meet its conditions, and no others", async () => {
    const run = await until(await start({}), "completed");
    expect(run).toMatchObject({ type: "batch", output: { items: 50, done: 50, failed: 0, skipped: 0 } });
    expect(run.progress).toMatchObject({ done: 50, failed: 0, skipped: 0, total: 50 });
    const { body: ledger } = await service.call("GET", "/simulated/ledger?limit=200");
    const labels = ledger.items.filter((entry: { readonly run: string }) => entry.run === run.id);
    expect(labels.map(({ stage }: { readonly stage: string }) => stage).sort()).toEqual(
      leather.map((id) => `items[${id}]/print_label`).sort(),
    );
  });

  it("lists the items that failed, within its budget, and tries them again alone", async () => {
    const bad = [leather[3], leather[17]] as const;
    const simulate = Object.fromEntries(bad.map((id) => [`items[${id}]/print_label`, { status: 422 }]));
    const id = await start({ simulate });
    const run = await until(id, "completed");
    expect(run).toMatchObject({ output: { items: 50, done: 48, failed: 2, skipped: 0 } });

    const first = await operator("GET", `${id}/failed-items?limit=1`);
    const second = await operator("GET", `${id}/failed-items?limit=1&cursor=${first.body.next_cursor}`);
    const items = [...first.body.items, ...second.body.items];
    expect(items.map(({ key }) => key).sort()).toEqual([...bad].sort());
    expect(items[0]).toMatchObject({
      ...{ attempts: 1, failed_at: expect.stringMatching(/Z$/) },
      item: { binding: "leather", in_print: true, price: "1.50" },
      error: { code: "simulated", status: 422 },
    });
    expect((await service.call("GET", `/api/v1/runs/${id}/failed-items`)).status).toBe(401);

    const key = { "idempotency-key": "again" };
    const retried = await operator("POST", `${id}/failed-items/retry`, { reason: "labels are back" }, key);
    expect([retried.status, retried.body]).toEqual([202, { id: expect.any(String), items: 2 }]);
    expect(retried.headers.get("location")).toBe(`/api/v1/runs/${retried.body.id}`);
    const replayed = await operator("POST", `${id}/failed-items/retry`, { reason: "labels are back" }, key);
    expect(replayed.body.id).toBe(retried.body.id);
    // They fail again, which is more than the part that may.
    const again = await until(retried.body.id, "stuck");
    expect(again).toMatchObject({
      ...{ restarted_from: id, error: { code: "too-many-failures" } },
      progress: { failed: 2, total: 2 },
    });
    expect((await operator("POST", `${again.id}/abandon`, { reason: "thrown away" })).status).toBe(202);
    await service.call("GET", `/api/v1/runs/${again.id}/events`);
    expect((await get(again.id)).status).toBe("failed");
  });

  it("has no failed items of what is no batch, and nothing to be tried again where nothing failed", async () => {
    const saga = (await service.call("POST", "/api/v1/tasks/print_run?wait=15", {})).body.id;
    expect((await operator("GET", `${saga}/failed-items`)).body.code).toBe("verb-forbidden");
    const fine = (await until(await start({}), "completed")).id;
    expect((await operator("GET", `${fine}/failed-items`)).body).toEqual({ items: [], next_cursor: null });
    const answer = await operator("POST", `${fine}/failed-items/retry`, { reason: "why not" });
    expect([answer.status, answer.body.code]).toEqual([409, "verb-forbidden"]);
  });
});
