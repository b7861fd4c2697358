/** Snapshots of contexts and signs of life, where there are none: what clients and operators are told. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asOperator, startService, type TestService } from "../integration/service.js";

describe("over HTTP", () => {
  let service: TestService;
  let ended: string;
  beforeAll(async () => {
    service = await startService();
    ended = (await service.call("POST", "/api/v1/tasks/print_run?wait=15", {})).body.id;
  });
  afterAll(() => service.close());

  const operator = (method: string, path: string, body?: unknown) =>
    service.call(method, `/api/v1/runs/${path}`, body, asOperator);

  it("checkpoints are for operators only", async () => {
    for (const path of ["checkpoints", "checkpoints/1", "checkpoints/diff?from=1&to=2"])
      expect((await service.call("GET", `/api/v1/runs/${ended}/${path}`)).status).toBe(401);
    expect((await service.call("POST", `/api/v1/runs/${ended}/checkpoints/1/restore`, { reason: "x" })).status).toBe(
      401,
    );
  });

  it("a checkpoint that is not there is not found, compared or restored", async () => {
    const code = async (method: string, path: string, body?: unknown) => (await operator(method, path, body)).body.code;
    expect(await code("GET", `${ended}/checkpoints/99`)).toBe("checkpoint-not-found");
    expect(await code("GET", `${ended}/checkpoints/diff?from=98&to=99`)).toBe("checkpoint-not-found");
    expect(await code("GET", "00000000-0000-7000-8000-000000000000/checkpoints/1")).toBe("run-not-found");
    expect(await code("GET", `${ended}/checkpoints/none`)).toBe("validation-failed");
    expect(await code("GET", `${ended}/checkpoints/diff?from=1`)).toBe("validation-failed");
    expect(await code("POST", `${ended}/checkpoints/1/restore`, {})).toBe("validation-failed");
    const { status } = await operator("POST", `${ended}/checkpoints/99/restore`, { reason: "a test" });
    expect([404, 409]).toContain(status);
  });

  it("a participant whose attempt is over is told so by its heartbeat", async () => {
    const beat = (id: string, stage: string, body: unknown) =>
      service.call("POST", `/api/v1/runs/${id}/heartbeats/${stage}`, body);
    const over = await beat(ended, "bind_copies", { attempt: 1, details: { page: 7 } });
    expect([over.status, over.body.code]).toEqual([409, "attempt-over"]);
    expect((await beat(ended, "bind_copies", {})).status).toBe(422);
    expect((await beat(ended, "no_such_stage", { attempt: 1 })).body.code).toBe("attempt-over");
    expect((await beat("nobody", "bind_copies", { attempt: 1 })).body.code).toBe("run-not-found");
  });
});
