import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express, { type NextFunction, type Request, type Response } from "express";
import Fastify, { type FastifyRequest } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal, RuntimeError } from "../errors.js";
import { httpParticipant } from "../participants/http.js";
import type { StepCall } from "../saga/definition.js";
import { type Database, openDatabase } from "../stores/sqlite/index.js";
import { RUN, step } from "./barrier-contract.test.support.js";
import { type Barrier, expressBarrier, fastifyBarrier, sqliteBarrier } from "./index.js";

/** A participant whose one step does what its input says, and counts. */
interface Service {
  readonly url: string;
  close(): Promise<unknown>;
}

interface Order {
  readonly input: { readonly say?: string; readonly status?: number };
}

/** What a handler may say: an answer, nothing, or one of several kinds of no. */
function answer({ say, status }: Order["input"]): unknown {
  if (say === "refuse") throw new BusinessRefusal("the card's limit is 100.00", "card-declined");
  if (say === "fail") throw new Error("a secret of the service");
  if (say === "runtime") throw new RuntimeError("idempotency-key-reused", "another input");
  if (status !== undefined)
    throw Object.assign(new Error("said by status"), { statusCode: status, status, code: "by-status" });
  return say === "nothing" ? undefined : { charged: say };
}

function onFastify(barrier: Barrier<Database>, count: (what: string) => void): Promise<Service> {
  const app = Fastify();
  const { step, compensation } = fastifyBarrier(barrier, { refusals: [404] });
  app.post(
    "/charge",
    step((tx, request: FastifyRequest<{ Body: Order }>, call) => {
      tx.run("insert into effects values (?)", [call.idempotencyKey]);
      count(`${call.step} ${call.attempt}`);
      return answer(request.body.input);
    }),
  );
  app.post(
    "/refund",
    compensation((tx, request: FastifyRequest<{ Body: { reason?: string } }>, call, answered) => {
      if (request.body.reason === "stuck") throw new BusinessRefusal("cannot be undone", "too-late");
      tx.run("delete from effects where key = ?", [call.forwardKey ?? ""]);
      count(`undo ${call.outcome} ${JSON.stringify(answered)}`);
    }),
  );
  return app.listen({ port: 0, host: "127.0.0.1" }).then((url) => ({ url, close: () => app.close() }));
}

function onExpress(barrier: Barrier<Database>, count: (what: string) => void): Promise<Service> {
  const app = express();
  app.use(express.json());
  const { step, compensation } = expressBarrier(barrier, { refusals: [404] });
  app.post(
    "/charge",
    step((tx, request: Request<object, unknown, Order>, call) => {
      tx.run("insert into effects values (?)", [call.idempotencyKey]);
      count(`${call.step} ${call.attempt}`);
      return answer(request.body.input);
    }),
  );
  app.post(
    "/refund",
    compensation((tx, request: Request<object, unknown, { reason?: string }>, call, answered) => {
      if (request.body.reason === "stuck") throw new BusinessRefusal("cannot be undone", "too-late");
      tx.run("delete from effects where key = ?", [call.forwardKey ?? ""]);
      count(`undo ${call.outcome} ${JSON.stringify(answered)}`);
    }),
  );
  // Express's own would print the error.
  app.use((error: { status?: number; message: string }, _: Request, response: Response, _next: NextFunction) => {
    response.status(error.status ?? 500).json({ message: error.message });
  });
  const server: Server = createServer(app);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () =>
      resolve({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        close: () => new Promise((closed) => void server.close(closed)),
      }),
    );
  });
}

describe.each([
  ["Fastify", onFastify],
  ["Express", onExpress],
] as const)("a service on %s behind the barrier", (_, start) => {
  let folder: string;
  let db: Database;
  let service: Service;
  let handled: string[];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "barrier-http-"));
    db = openDatabase(join(folder, "participant.db"));
    db.exec("create table effects (key text)");
    const barrier = sqliteBarrier(db);
    await barrier.migrate();
    handled = [];
    service = await start(barrier, (what) => void handled.push(what));
  });
  afterEach(async () => {
    await service.close();
    db.close();
    rmSync(folder, { recursive: true });
  });

  const effects = (): number => db.all("select key from effects").length;

  async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    const key = path === "/charge" ? `${RUN}:charge` : `${RUN}:charge:compensate`;
    const protocol = {
      "idempotency-key": key,
      "x-run-id": RUN,
      "x-run-fence": "3",
      "x-step": "charge",
      "x-attempt": "2",
    };
    const response = await fetch(`${service.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...protocol, ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    const type = response.headers.get("content-type");
    return {
      status: response.status,
      type,
      retryAfter: response.headers.get("retry-after"),
      text,
      json: () => JSON.parse(text),
    };
  }
  const charge = (input: Order["input"], headers?: Record<string, string>) => post("/charge", { input }, headers);
  const refund = (body: object = {}) => post("/refund", { forward_key: `${RUN}:charge`, outcome: "unknown", ...body });

  it("answers a step once, and its copies alike", async () => {
    for (let copy = 0; copy < 3; copy++) {
      const { status, type, text } = await charge({ say: "yes" });
      expect({ status, type, text }).toEqual({
        status: 200,
        type: "application/json; charset=utf-8",
        text: '{"charged":"yes"}',
      });
    }
    expect([effects(), handled]).toEqual([1, ["charge 2"]]);
  });

  it("answers 204 where there is nothing to say", async () => {
    for (let copy = 0; copy < 2; copy++)
      expect(await charge({ say: "nothing" })).toMatchObject({ status: 204, text: "" });
    expect(handled).toHaveLength(1);
  });

  it.each([
    { input: { say: "refuse" }, status: 422, code: "card-declined", detail: "the card's limit is 100.00" },
    { input: { status: 402 }, status: 402, code: "by-status", detail: "said by status" },
    { input: { status: 404 }, status: 404, code: "by-status", detail: "said by status" },
    { input: { say: "runtime" }, status: 409, code: "idempotency-key-reused", detail: "another input" },
  ])("remembers a refusal: $input", async ({ input, status, code, detail }) => {
    for (let copy = 0; copy < 2; copy++) {
      const refused = await charge(input);
      expect(refused).toMatchObject({ status, type: "application/problem+json; charset=utf-8" });
      expect(refused.json()).toMatchObject({ type: "about:blank", status, code, detail });
    }
    expect([effects(), handled]).toEqual([0, ["charge 2"]]);
  });

  it.each([{ status: 503 }, { status: 429 }, { status: 401 }, { say: "fail" }])(
    "leaves a fault to the framework and lets the call come again: %o",
    async (input) => {
      const failed = await charge(input);
      expect(failed.status).toBe(input.status ?? 500);
      expect(effects()).toBe(0);
      expect((await charge({ say: "yes" })).status).toBe(200);
    },
  );

  it("undoes what was done, and answers 204 each time", async () => {
    await charge({ say: "yes" });
    for (let copy = 0; copy < 2; copy++) expect(await refund()).toMatchObject({ status: 204, text: "" });
    expect([effects(), handled]).toEqual([0, ["charge 2", 'undo unknown {"charged":"yes"}']]);
  });

  it("undoes what the caller has seen done though nothing is known of it", async () => {
    expect((await refund({ outcome: "completed" })).status).toBe(204);
    expect(handled).toEqual(["undo completed undefined"]);
  });

  it("refuses a step that comes after its compensation", async () => {
    expect((await refund()).status).toBe(204);
    const late = await charge({ say: "yes" });
    expect(late).toMatchObject({ status: 409 });
    expect(late.json()).toMatchObject({ code: "compensated" });
    expect([effects(), handled]).toEqual([0, []]);
  });

  it("passes on that a compensation is refused, each time anew", async () => {
    await charge({ say: "yes" });
    for (let copy = 0; copy < 2; copy++) {
      const stuck = await refund({ reason: "stuck" });
      expect(stuck).toMatchObject({ status: 422 });
      expect(stuck.json()).toMatchObject({ code: "too-late" });
    }
    expect((await refund()).status).toBe(204);
  });

  it("turns a replaced owner away, in words that a run does not take for a refusal", async () => {
    await charge({ say: "yes" });
    const stale = await charge({ say: "yes" }, { "x-run-fence": "2" });
    expect(stale).toMatchObject({ status: 409 });
    expect(stale.json()).toMatchObject({ code: "stale-fence" });
    const outcome = await httpParticipant({ name: "payment", baseUrl: service.url }).perform(
      { service: "payment", endpoint: "/charge", refusals: [409] },
      { ...call(), fence: 2 },
    );
    expect(outcome).toMatchObject({ kind: "failed", retry: true, mayHaveRun: false, error: { code: "stale-fence" } });
  });

  it.each([
    [{ "idempotency-key": "" }, "Idempotency-Key"],
    [{ "x-run-id": "" }, "X-Run-Id"],
    [{ "x-run-fence": "" }, "X-Run-Fence"],
    [{ "x-run-fence": "-1" }, "X-Run-Fence"],
    [{ "idempotency-key": "k".repeat(1_001) }, "idempotencyKey"],
  ])("says which header is wrong: %o", async (headers, name) => {
    const refused = await charge({ say: "yes" }, headers);
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.json()).toMatchObject({ code: "input-invalid", detail: expect.stringContaining(name) });
    expect(handled).toEqual([]);
  });

  it.each([{}, { forward_key: 7 }, null])("asks a compensation for its forward key: %o", async (body) => {
    const refused = await post("/refund", body ?? []);
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.json()).toMatchObject({ detail: expect.stringContaining("forward_key") });
  });

  it("says that its database does not answer, and when to come again", async () => {
    db.exec("alter table clean_arch_barrier_calls rename to gone");
    // A table that is not there is a fault of the service.
    expect((await charge({ say: "yes" })).status).toBe(500);
    db.exec("alter table gone rename to clean_arch_barrier_calls");
    const other = openDatabase(db.file);
    db.close();
    expect(await charge({ say: "yes" })).toMatchObject({ status: 503, retryAfter: "1" });
    db = other;
  });
});

describe("a handler that is asynchronous", () => {
  const barrier: Barrier<string> = {
    migrate: async () => {},
    prune: async () => 0,
    run: async (_, handler) => {
      await handler("tx", undefined);
      return null;
    },
  };
  const headers = { "idempotency-key": "k", "x-run-id": "r", "x-run-fence": "1" };
  const reply = () => {
    const said: unknown[] = [];
    const code = (status: number): void => void said.push(status);
    return { said, code, headers: () => {}, send: (body?: string) => void said.push(JSON.parse(body ?? "null")) };
  };

  it("says no by a status, too", async () => {
    const { said, ...target } = reply();
    const route = fastifyBarrier(barrier).step(() =>
      Promise.reject(Object.assign(new Error("no"), { statusCode: 402 })),
    );
    await route({ headers, body: {} }, target);
    expect(said).toEqual([402, expect.objectContaining({ code: "refused", detail: "no" })]);
  });

  it("is told in progress with a time to come again", async () => {
    const busy: Barrier<string> = { ...barrier, run: () => Promise.reject(new RuntimeError("in-progress", "wait")) };
    const sent: Record<string, string> = {};
    const { said, ...target } = reply();
    await fastifyBarrier(busy).step(() => null)(
      { headers, body: {} },
      { ...target, headers: (values: Record<string, string>) => Object.assign(sent, values) },
    );
    expect([said[0], sent["retry-after"]]).toEqual([409, "1"]);
  });
});

function call(): StepCall {
  const context = { get: () => ({}), patch: () => {}, checkpoint: async () => {} };
  const { signal } = new AbortController();
  return {
    ...step("charge"),
    stage: "charge",
    input: {},
    isMapped: false,
    timeoutMs: 30_000,
    transaction: () => Promise.reject(new Error("none here")),
    heartbeat: () => {},
    heartbeatMs: null,
    heartbeatDetails: null,
    runInput: {},
    outputs: {},
    context,
    attempt: 1,
    signal,
  };
}
