import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asOperator, startService, type TestService } from "../integration/service.js";

/** What operators do to a run of the service, over HTTP. Its services do as `input.simulate` says. */
describe("operating a run over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const SLOW = { reserve_paper: { delay_ms: 400 } };
  const REFUSED_PAST_THE_PIVOT = { ship_copies: { status: 422 } };

  const start = async (simulate: object, more: object = {}, headers: Record<string, string> = {}) =>
    (await service.call("POST", "/api/v1/sagas/print_run", { input: { simulate }, ...more }, headers)).body;
  const get = async (id: string) => (await service.call("GET", `/api/v1/runs/${id}`)).body;
  const act = (id: string, verb: string, more: object = {}, headers: Record<string, string> = {}) =>
    service.call("POST", `/api/v1/runs/${id}/${verb}`, { reason: "test", ...more }, { ...asOperator, ...headers });

  async function reaches(id: string, status: string) {
    await expect.poll(async () => (await get(id)).status, { timeout: 10_000, interval: 20 }).toBe(status);
    return get(id);
  }

  const records = async (id: string): Promise<{ kind: string; actor?: string; reason?: string }[]> => {
    const { items } = (await service.call("GET", `/api/v1/runs/${id}/journal`, undefined, asOperator)).body;
    return items.flatMap((row: { records: object[] }) => row.records);
  };

  it("pauses a run, undoes it from a step on and runs that again in a new round", async () => {
    const { id } = await start(SLOW);
    expect((await act(id, "pause", { actor: "ann" })).status).toBe(202);
    await reaches(id, "paused");
    expect((await act(id, "retry", { step: "inspect_manuscript", actor: "bob" })).status).toBe(202);
    const run = await reaches(id, "completed");
    expect(run.steps[0]).toMatchObject({ name: "inspect_manuscript", status: "completed", round: 2 });
    expect(await records(id)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: "paused", actor: "ann", reason: "test" }),
        expect.objectContaining({ kind: "retry-requested", actor: "bob", step: "inspect_manuscript" }),
      ]),
    );
  });

  it("takes the same request twice for one", async () => {
    const { id } = await start(SLOW);
    const key = { "idempotency-key": "once" };
    expect((await act(id, "pause", {}, key)).status).toBe(202);
    await reaches(id, "paused");
    expect((await act(id, "pause", {}, key)).status).toBe(202);
    expect((await act(id, "pause")).body).toMatchObject({ status: 409, code: "verb-forbidden" });
    await act(id, "resume");
    await reaches(id, "completed");
    expect((await records(id)).filter(({ kind }) => kind === "paused")).toHaveLength(1);
  });

  it("compensates a paused run", async () => {
    const { id } = await start(SLOW);
    await act(id, "pause");
    await reaches(id, "paused");
    await act(id, "compensate");
    const run = await reaches(id, "compensated");
    expect(run).toMatchObject({
      rollback: "done",
      error: { code: "compensated", message: "compensated by operator: test" },
    });
  });

  it("skips what a run past its pivot is stuck at", async () => {
    const { id } = await start(REFUSED_PAST_THE_PIVOT);
    await reaches(id, "stuck");
    await act(id, "skip");
    expect((await reaches(id, "completed")).steps.at(-1)).toMatchObject({ name: "ship_copies", status: "skipped" });
  });

  it("abandons a stuck run, and starts another one under its key", async () => {
    const key = { "idempotency-key": "print once" };
    const { id } = await start(REFUSED_PAST_THE_PIVOT, {}, key);
    await reaches(id, "stuck");
    const whileStuck = await start(REFUSED_PAST_THE_PIVOT, { if_exists: "restart-if-failed" }, key);
    expect(whileStuck.id).toBe(id);
    await act(id, "abandon");
    await reaches(id, "failed");
    const again = await start({}, { if_exists: "restart-if-failed" }, key);
    expect(again.id).not.toBe(id);
    expect(await reaches(again.id, "completed")).toMatchObject({ restarted_from: id });
  });

  it("refuses a step that the run does not have, and says which it expected", async () => {
    const { id } = await start(SLOW);
    await act(id, "pause");
    await reaches(id, "paused");
    const answer = await act(id, "retry", { step: "fold_paper" });
    expect(answer.body).toMatchObject({ status: 409, code: "verb-forbidden" });
    expect(answer.body.detail).toContain('expected a step of the run, got "fold_paper"');
    await act(id, "cancel");
    await reaches(id, "cancelled");
  });
});
