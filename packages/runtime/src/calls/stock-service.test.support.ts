import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { brokerBarrier, sqliteBarrier } from "../barrier/index.js";
import type { Broker } from "../broker/broker.js";
import { BusinessRefusal } from "../errors.js";
import { brokerParticipant } from "../participants/broker.js";
import type { Participant } from "../participants/participant.js";
import type { CompensationCall, StepCall } from "../saga/definition.js";
import { openDatabase } from "../stores/sqlite/index.js";
import { type BrokerCallsOptions, createBrokerCalls } from "./broker-calls.js";
import { type CallServer, type CallServerOptions, createCallServer } from "./call-server.js";

const SERVICE = "stock";
export const RUN = "0192f0c1-2345-7abc-8def-0123456789ab";
export const RESERVE = { service: SERVICE, endpoint: "/reserve" };
const RELEASE = { service: SERVICE, endpoint: "/release" };

/** A participant with a database: `/reserve` does what its input says, `/release` undoes it; both behind a barrier. */
export async function createStock() {
  const folder = mkdtempSync(join(tmpdir(), "clean-arch-calls-"));
  const db = openDatabase(join(folder, "stock.db"));
  db.exec("create table effects (key text)");
  const barrier = sqliteBarrier(db);
  await barrier.migrate();
  onTestFinished(() => {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { step, compensation } = brokerBarrier(barrier);
  let before: (key: string) => Promise<void> = async () => {};
  let tries = 0;
  const reserve = step((tx, { body }, { idempotencyKey }) => {
    const { input } = body as { input: { say?: string } };
    if (input.say === "refuse") throw new BusinessRefusal("sold out", "sold-out");
    if (input.say === "busy") throw Object.assign(new Error("a secret"), { statusCode: 503 });
    if (input.say === "fail") throw new Error("a secret");
    tx.run("insert into effects values (?)", [idempotencyKey]);
    return { reserved: input.say === "large" ? "x".repeat(1_010_000) : idempotencyKey };
  });
  const release = compensation((tx, _request, { forwardKey }) => {
    tx.run("delete from effects where key = ?", [forwardKey ?? ""]);
  });
  return {
    /** An instance of it. */
    async listen(broker: Broker, options: Partial<CallServerOptions> = {}): Promise<CallServer> {
      const routes = {
        async "/reserve"(call: Parameters<typeof reserve>[0]) {
          tries += 1;
          await before(String(call.headers["idempotency-key"]));
          return reserve(call);
        },
        "/release": release,
      };
      const server = createCallServer({ broker, service: SERVICE, routes, ...options });
      onTestFinished(() => server.stop(0));
      await server.start();
      return server;
    },
    effects: () => db.all<{ key: string }>("select key from effects order by key").map(({ key }) => key),
    /** How often its route was called. */
    get tries() {
      return tries;
    },
    /** What a call waits for before its effect. */
    set before(wait: (key: string) => Promise<void>) {
      before = wait;
    },
  };
}

/** A process that calls it. */
export function createCaller(broker: Broker, options: Partial<BrokerCallsOptions> = {}): Participant {
  const calls = createBrokerCalls({ broker, ...options });
  onTestFinished(() => calls.close());
  return brokerParticipant({ name: SERVICE, calls, headers: { "X-Tenant": "a" } });
}

export function stepCall(input: StepCall["input"], more: Partial<StepCall> = {}): StepCall {
  const { stage = "reserve" } = more;
  return {
    ...{
      runId: RUN,
      stage,
      input,
      isMapped: false,
      runInput: input,
      outputs: {},
      attempt: 1,
      fence: 1,
      timeoutMs: 8_000,
    },
    context: { get: () => ({ seen: 1 }), patch() {}, checkpoint: async () => {} },
    transaction: () => Promise.reject(new Error("none here")),
    heartbeat: () => {},
    heartbeatMs: null,
    heartbeatDetails: null,
    idempotencyKey: `${RUN}:${stage}`,
    signal: new AbortController().signal,
    ...more,
  };
}

export function undo(participant: Participant, outcome: CompensationCall["outcome"] = "completed") {
  const key = `${RUN}:reserve`;
  const call = {
    ...stepCall({}),
    idempotencyKey: `${key}:compensate`,
    forwardKey: key,
    outcome,
    output: null,
    reason: "",
  };
  return participant.compensate(RELEASE, call);
}
