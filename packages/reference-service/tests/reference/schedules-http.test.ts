/** Schedules and queues, as operators see and lead them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asOperator, startService, type TestService } from "../integration/service.js";

describe("schedules over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const operator = (method: string, path: string, body?: unknown, headers = {}) =>
    service.call(method, `/api/v1/${path}`, body, { ...asOperator, ...headers });
  const commission = async () => {
    const { body } = await operator("GET", "schedules");
    return body.items.find(({ name }: { readonly name: string }) => name === "commission");
  };
  const why = { reason: "a test" };

  it("are listed with their next runs, for operators only", async () => {
    expect((await service.call("GET", "/api/v1/schedules")).status).toBe(401);
    expect(await commission()).toMatchObject({
      ...{ cron: "30 6 1 * *", timezone: "Europe/Berlin", overlap: "queue", catch_up: 100, active: true },
      ...{ paused: null, last_run: null, skipped: 0, missed: 0, idle: null, waiting: null },
    });
    const { next_runs } = await commission();
    expect(next_runs).toHaveLength(5);
    // Summer or winter there, it is half past six.
    for (const at of next_runs) expect(at).toMatch(/-01T0[45]:30:00\.000Z$/);
  });

  it("are paused with a reason, and resumed", async () => {
    const paused = await operator("POST", "schedules/commission/pause", { reason: "holidays", actor: "ann" });
    expect(paused.body).toMatchObject({ paused: { actor: "ann", reason: "holidays" }, next_runs: [] });
    const resumed = await operator("POST", "schedules/commission/resume", why);
    expect([resumed.status, resumed.body.paused]).toEqual([200, null]);
    expect((await operator("POST", "schedules/commission/pause", {})).status).toBe(422);
    expect((await operator("POST", "schedules/none_of_ours/pause", why)).body.code).toBe("schedule-unknown");
  });

  it("are made up for over a range, one run for each tick however often it is asked", async () => {
    const range = { from: "2026-03-01T00:00:00Z", to: "2026-05-31T00:00:00Z", limit: 2 };
    const first = await operator("POST", "schedules/commission/backfill", range);
    expect(first).toMatchObject({
      status: 202,
      body: {
        runs: [
          { tick: "2026-03-01T05:30:00.000Z", replayed: false },
          { tick: "2026-04-01T04:30:00.000Z", replayed: false },
        ],
        next: "2026-05-01T04:30:00.000Z",
      },
    });
    const again = await operator("POST", "schedules/commission/backfill", range);
    expect(again.body.runs.map(({ id, replayed }: { id: string; replayed: boolean }) => [id, replayed])).toEqual(
      first.body.runs.map(({ id }: { readonly id: string }) => [id, true]),
    );
    const run = (await service.call("GET", `/api/v1/runs/${first.body.runs[1].id}`)).body;
    expect(run).toMatchObject({ definition: "commission", input: { month: "2026-04" } });
    const bad = await operator("POST", "schedules/commission/backfill", { ...range, from: "yesterday" });
    expect([bad.status, bad.body.errors[0].path]).toEqual([422, "from"]);
  });

  it("start a run now under a key, beside their ticks", async () => {
    const key = { "idempotency-key": "now" };
    const wish = { ...why, input: { month: "by hand" } };
    const started = await operator("POST", "schedules/nightly_inventory/trigger", wish, key);
    expect([started.status, started.headers.get("location")]).toEqual([202, `/api/v1/runs/${started.body.id}`]);
    const replayed = await operator("POST", "schedules/nightly_inventory/trigger", wish, key);
    expect([replayed.body.id, replayed.headers.get("idempotency-replayed")]).toEqual([started.body.id, "true"]);
    const { body } = await service.call("GET", `/api/v1/runs/${started.body.id}`);
    expect(body).toMatchObject({ type: "batch", input: { month: "by hand" } });
    await operator("POST", `runs/${started.body.id}/cancel`, why);
  });

  it("begin in a queue that shows how it stands", async () => {
    expect((await service.call("GET", "/api/v1/queues")).status).toBe(401);
    const later = await service.call("POST", "/api/v1/tasks/commission", { delay_ms: 3_600_000, queue_key: "ann" });
    expect(later.status).toBe(202);
    const debounce = { key: "one", ms: 3_600_000 };
    const [first, second] = await Promise.all([
      service.call("POST", "/api/v1/tasks/commission", { input: { n: 1 }, debounce }),
      service.call("POST", "/api/v1/tasks/commission", { input: { n: 2 }, debounce }),
    ]);
    expect(second.body.id).toBe(first.body.id);
    const { body } = await operator("GET", "queues");
    expect(body.items).toMatchObject([
      {
        ...{ queue: "presses", concurrency: 200, concurrency_per_key: 20 },
        ...{ rate_limit: { max: 1_000, window_ms: 60_000 }, delayed: 2 },
      },
    ]);
  });

  it("lets nobody but operators go before the others, and takes no time that is none", async () => {
    const start = (body: object, headers = {}) => service.call("POST", "/api/v1/tasks/commission", body, headers);
    expect((await start({ priority: 9 })).status).toBe(401);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const first = await start({ priority: 9, start_at: soon }, asOperator);
    expect(first.status).toBe(202);
    expect((await start({ start_at: "tomorrow" })).status).toBe(422);
    expect((await start({ delay_ms: 5, start_at: soon })).body.code).toBe("input-invalid");
  });
});
