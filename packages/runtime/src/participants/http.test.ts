import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { StepOutcome } from "../engine/step-outcome.js";
import type { CompensationCall, StepCall } from "../saga/definition.js";
import { httpParticipant } from "./http.js";
import { parseRetryAfter } from "./reply.js";

const RUN = "0192f0c1-2345-7abc-8def-0123456789ab";

const call: StepCall = {
  runId: RUN,
  stage: "charge",
  input: { order: 1 },
  isMapped: false,
  timeoutMs: 30_000,
  transaction: () => Promise.reject(new Error("none here")),
  heartbeat: () => {},
  heartbeatMs: null,
  heartbeatDetails: null,
  runInput: { order: 1 },
  outputs: { validate: { ok: true } },
  context: { get: () => ({ seen: 1 }), patch() {}, checkpoint: async () => {} },
  idempotencyKey: `${RUN}:charge`,
  attempt: 2,
  fence: 3,
  signal: new AbortController().signal,
};

const compensation: CompensationCall = {
  ...call,
  idempotencyKey: `${RUN}:charge:compensate`,
  forwardKey: `${RUN}:charge`,
  outcome: "unknown",
  output: null,
  reason: "declined",
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server that answers every request the same way and keeps what it got. */
async function serve(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const requests: { method: string; url: string; headers: IncomingMessage["headers"]; body: unknown }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      requests.push({
        method: request.method ?? "",
        url: request.url ?? "",
        headers: request.headers,
        body: text === "" ? null : JSON.parse(text),
      });
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  closers.push(close);
  const participant = httpParticipant({
    name: "payment_service",
    baseUrl: `http://127.0.0.1:${port}/api/`,
    maxResponseBytes: 1_000,
  });
  return { requests, participant, close };
}

const target = { service: "payment_service", endpoint: "/charge" };

async function outcomeOf(
  status: number,
  body = "",
  headers: Record<string, string> = {},
  refusals: number[] = [],
): Promise<StepOutcome> {
  const { participant } = await serve((response) => response.writeHead(status, headers).end(body));
  return participant.perform({ ...target, refusals }, call);
}

describe("http participant", () => {
  it("says which item of a list it is about, forward and back", async () => {
    const { participant, requests } = await serve((response) =>
      response.writeHead(200, { "content-type": "application/json" }).end("null"),
    );
    const [stage, key] = ["items[3]/charge", `${RUN}:items[3]/charge`];
    const item = { stage, item: null, index: 3 };
    await participant.perform(target, { ...call, ...item, idempotencyKey: key });
    await participant.compensate(target, { ...compensation, ...item, forwardKey: key });
    for (const { body } of requests) expect(body).toMatchObject(item);
    expect(requests[0]?.headers).toMatchObject({ "idempotency-key": key, "x-step": stage });
    expect(requests[1]?.body).toMatchObject({ forward_key: key });
  });

  it("sends the protocol's headers and body", async () => {
    const { participant, requests } = await serve((response) =>
      response.writeHead(200, { "content-type": "application/json" }).end('{"id":7}'),
    );
    expect(await participant.perform(target, call)).toEqual({ kind: "completed", output: { id: 7 } });
    expect(requests[0]).toMatchObject({
      method: "POST",
      url: "/api/charge",
      headers: {
        "idempotency-key": `${RUN}:charge`,
        "x-run-id": RUN,
        "x-run-fence": "3",
        "x-step": "charge",
        "x-attempt": "2",
        "content-type": "application/json",
      },
      body: {
        run_id: RUN,
        stage: "charge",
        input: { order: 1 },
        outputs: { validate: { ok: true } },
        context: { seen: 1 },
      },
    });
    expect(requests[0]?.body).not.toHaveProperty("index");
    expect(requests[0]?.headers.traceparent).toMatch(/^00-0192f0c123457abc8def0123456789ab-[0-9a-f]{16}-01$/);
  });

  it.each([
    ["an output", 200, '{"id":7}', { kind: "completed", output: { id: 7 } }],
    ["a refusal", 402, '{"code":"declined","detail":"no"}', { kind: "refused", error: { code: "declined" } }],
    ["a redirect, which is not followed", 302, "", { kind: "failed", error: { status: 302 } }],
    ["an answer that is too large", 200, JSON.stringify("x".repeat(2_000)), { kind: "failed", mayHaveRun: true }],
  ])("takes %s from a call that may last for hours", async (_, status, text, outcome) => {
    const { participant, requests } = await serve((response) =>
      response.writeHead(status, { "content-type": "application/json", location: "/elsewhere" }).end(text),
    );
    const patient = { ...call, timeoutMs: 6 * 3_600_000 };
    expect(await participant.perform(target, patient)).toMatchObject(outcome);
    await participant.perform(target, call);
    const [long, short] = requests;
    expect(long?.body).toEqual(short?.body);
    for (const name of ["idempotency-key", "x-run-id", "content-type", "accept", "traceparent"])
      expect(long?.headers[name], name).toBe(short?.headers[name]);
  });

  it("cuts short a call that may last for hours, and knows what was never sent", async () => {
    const controller = new AbortController();
    const { participant, close } = await serve(() => controller.abort("enough"));
    const patient = { ...call, timeoutMs: 6 * 3_600_000 };
    expect(await participant.perform(target, { ...patient, signal: controller.signal })).toMatchObject({
      ...{ kind: "failed", mayHaveRun: true },
      error: { code: "connection" },
    });
    await close();
    expect(await participant.perform(target, patient)).toMatchObject({ kind: "failed", mayHaveRun: false });
  });

  it("says how long it may be silent, and what was told before", async () => {
    const { participant, requests } = await serve((response) => response.writeHead(204).end());
    await participant.perform(target, { ...call, heartbeatMs: 30_000, heartbeatDetails: { frame: 7 } });
    await participant.perform(target, { ...call, heartbeatMs: 30_000 });
    await participant.perform(target, call);
    expect(requests.map(({ headers }) => headers["x-heartbeat-timeout"])).toEqual(["30000", "30000", undefined]);
    expect(requests[0]?.body).toMatchObject({ heartbeat_details: { frame: 7 } });
    expect(requests[1]?.body).toMatchObject({ heartbeat_details: null });
    expect(requests[2]?.body).not.toHaveProperty("heartbeat_details");
  });

  it("sends a compensation with the forward key and the outcome", async () => {
    const { participant, requests } = await serve((response) => response.writeHead(200).end("not json at all"));
    expect(
      await participant.compensate({ service: "payment_service", endpoint: "/refund" }, compensation),
    ).toMatchObject({ kind: "completed" });
    expect(requests[0]).toMatchObject({
      url: "/api/refund",
      headers: { "idempotency-key": `${RUN}:charge:compensate` },
      body: {
        run_id: RUN,
        stage: "charge",
        input: { order: 1 },
        outcome: "unknown",
        output: null,
        forward_key: `${RUN}:charge`,
        reason: "declined",
      },
    });
  });

  it.each([
    [500, true],
    [503, true],
    [408, true],
    [425, false],
    [429, false],
    [302, false],
    [401, false],
    [404, false],
    [405, false],
  ])("retries %i; it may have run: %s", async (status, mayHaveRun) => {
    expect(await outcomeOf(status, "", { location: "http://127.0.0.1:1/elsewhere" })).toMatchObject({
      kind: "failed",
      retry: true,
      mayHaveRun,
    });
  });

  it.each([400, 402, 409, 410, 422])("takes %i for a business refusal", async (status) => {
    expect(await outcomeOf(status, '{"code":"card-declined","detail":"No funds."}')).toEqual({
      kind: "refused",
      error: { code: "card-declined", message: "No funds.", status },
    });
  });

  it("retries a 409 that says in-progress", async () => {
    expect(await outcomeOf(409, '{"code":"in-progress"}')).toMatchObject({
      kind: "failed",
      retry: true,
      mayHaveRun: true,
    });
  });

  it("takes a status listed as a refusal for one", async () => {
    expect(await outcomeOf(404, "", {}, [404])).toMatchObject({ kind: "refused" });
  });

  it.each([
    ["text", "hello", { "content-type": "text/plain" }],
    ["broken JSON", '{"a":', { "content-type": "application/json" }],
    ["an answer over the bound", JSON.stringify("x".repeat(2_000)), { "content-type": "application/json" }],
    ["a forbidden key", '{"__proto__":{"admin":true}}', { "content-type": "application/json" }],
    ["an empty body", "", { "content-type": "application/json" }],
  ])("does not retry a 200 with %s: it ran, its output is unknown", async (_, body, headers) => {
    expect(await outcomeOf(200, body, headers)).toMatchObject({
      kind: "failed",
      retry: false,
      mayHaveRun: true,
      error: { code: "output-unknown" },
    });
  });

  it("takes a 204 for a step without output", async () => {
    expect(await outcomeOf(204)).toEqual({ kind: "completed", output: null });
  });

  it("knows that a refused connection never ran, and that a cut one may have", async () => {
    const { participant, close } = await serve((response) => response.socket?.destroy());
    expect(await participant.perform(target, call)).toMatchObject({ kind: "failed", retry: true, mayHaveRun: true });
    await close();
    expect(await participant.perform(target, call)).toMatchObject({ kind: "failed", retry: true, mayHaveRun: false });
  });

  it("stops waiting when its signal says so, and then it may have run", async () => {
    const controller = new AbortController();
    const { participant } = await serve(() => controller.abort());
    expect(await participant.perform(target, { ...call, signal: controller.signal })).toMatchObject({
      kind: "failed",
      mayHaveRun: true,
    });
  });

  it("honors Retry-After in seconds and as a date", async () => {
    expect(await outcomeOf(503, "", { "retry-after": "7" })).toMatchObject({ retryAfterMs: 7_000 });
    expect(parseRetryAfter("Wed, 21 Oct 2026 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:00 GMT")).toBe(30_000);
    expect(parseRetryAfter("soon", null)).toBeUndefined();
  });
});
