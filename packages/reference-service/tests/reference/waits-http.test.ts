/** A workflow that sleeps, waits for an approval and runs another one, as a client of the service sees it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asOperator, startService, type TestService } from "../integration/service.js";

describe("a workflow that waits over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const start = async (input: object): Promise<string> =>
    (await service.call("POST", "/api/v1/tasks/commission", { input })).body.id;
  const ended = async (id: string) => {
    const events = await service.call("GET", `/api/v1/runs/${id}/events`);
    expect(events.status).toBe(200);
    return (await service.call("GET", `/api/v1/runs/${id}`)).body;
  };
  const approve = (id: string, payload: object) =>
    service.call("POST", `/api/v1/runs/${id}/signals/proofs_approved`, { payload });

  it("goes on with the approval, and shows the run that it started", async () => {
    const id = await start({ drying_ms: 20 });
    expect((await approve(id, { copies: 7 })).status).toBe(202);
    const run = await ended(id);
    expect(run).toMatchObject({ status: "completed", error: null });
    expect(run.steps.map(({ name, status }: { name: string; status: string }) => `${name} ${status}`)).toEqual([
      "dry completed",
      "approval completed",
      "cool completed",
      "print completed",
    ]);
    expect(run.steps[1].output).toEqual({ copies: 7 });
    const [child] = (await service.call("GET", `/api/v1/runs?parent_id=${id}`, undefined, asOperator)).body.items;
    expect(run.steps[3].child).toBe(child.id);
    const { body: print } = await service.call("GET", `/api/v1/runs/${child.id}`);
    expect(print).toMatchObject({ definition: "print_run", status: "completed", input: { copies: 7 } });
  });

  it("ends when it is cancelled while it waits, with nothing of it done", async () => {
    const id = await start({});
    const cancelled = await service.call("POST", `/api/v1/runs/${id}/cancel`, { reason: "withdrawn" }, asOperator);
    expect(cancelled.status).toBe(202);
    const run = await ended(id);
    expect([run.status, run.steps[0].status]).toEqual(["cancelled", "skipped"]);
    expect((await approve(id, { copies: 7 })).body.code).toBe("run-ended");
  });

  it("is listed with what its stages are", async () => {
    const { body } = await service.call("GET", "/api/v1/definitions", undefined, asOperator);
    const commission = body.items.find(({ name }: { readonly name: string }) => name === "commission");
    const kinds = commission.waves
      .flat()
      .map(({ kind, signal, saga }: Record<string, unknown>) => [kind, signal, saga]);
    expect(kinds).toEqual([
      ["sleep", null, null],
      ["wait", "proofs_approved", null],
      ["sleep", null, null],
      ["child", null, "print_run"],
    ]);
  });
});
