import { type Nats, startNats } from "@clean-arch/test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Broker } from "../broker/broker.js";
import { createLocalBroker } from "../brokers/local/index.js";
import { brokerOf, ownStream } from "../brokers/nats/throwaway.test.support.js";
import { RuntimeError } from "../errors.js";
import { brokerParticipant } from "../participants/broker.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";
import { door, until } from "../testing/broker/world.js";
import { createBrokerCalls } from "./broker-calls.js";
import { createCaller, createStock, RESERVE, RUN, stepCall, undo } from "./stock-service.test.support.js";

/** A broker for each process, carrying the same messages. */
type Brokers = () => Promise<Broker>;

let server: Nats;
beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.remove());

function onNats(): Brokers {
  const own = ownStream();
  return async () => brokerOf(server.port, own);
}

function inMemory(): Brokers {
  const world = createMemoryWorld();
  return async () => {
    const store = createMemoryRunStore({ world, workers: "many" });
    await store.open();
    if (store.events === undefined) throw new Error("expected a store with events");
    const broker = createLocalBroker({ store: store.events, now: () => store.now(), pollMs: 20 });
    onTestFinished(async () => {
      await broker.close();
      await store.close();
    });
    return broker;
  };
}

describe.each([
  ["NATS", onNats],
  ["the local broker", inMemory],
])("calls over %s", (_, brokers) => {
  async function open() {
    const newBroker = brokers();
    const stock = await createStock();
    await stock.listen(await newBroker());
    return { newBroker, stock, caller: createCaller(await newBroker()) };
  }

  it("perform a step, and undo it", async () => {
    const { stock, caller } = await open();
    const output = { reserved: `${RUN}:reserve` };
    expect(await caller.perform(RESERVE, stepCall({}))).toEqual({ kind: "completed", output });
    expect(stock.effects()).toEqual([`${RUN}:reserve`]);
    expect(await undo(caller)).toEqual({ kind: "completed", output: null });
    expect(stock.effects()).toEqual([]);
  });

  it("answer the same call again from what is known, once undone with a refusal", async () => {
    const { stock, caller } = await open();
    const answers = await Promise.all([1, 2, 3].map((attempt) => caller.perform(RESERVE, stepCall({}, { attempt }))));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(stock.effects()).toEqual([`${RUN}:reserve`]);
    await undo(caller);
    expect(await caller.perform(RESERVE, stepCall({}))).toMatchObject({
      kind: "refused",
      error: { code: "compensated" },
    });
    expect(stock.effects()).toEqual([]);
  });

  it.each([
    ["refuse", { kind: "refused", error: { code: "sold-out", message: "sold out", status: 422 } }],
    ["busy", { kind: "failed", retry: true, mayHaveRun: true, error: { status: 503 } }],
    ["fail", { kind: "failed", retry: true, mayHaveRun: true, error: { code: "handler-threw", status: 500 } }],
  ])("give what a handler says when it is to %s, and none of its secrets", async (say, outcome) => {
    const { caller, stock } = await open();
    const answer = await caller.perform(RESERVE, stepCall({ say }));
    expect(answer).toMatchObject(outcome);
    expect(JSON.stringify(answer)).not.toContain("secret");
    expect(stock.effects()).toEqual([]);
  });

  it("to an endpoint that is not there are a fault of configuration", async () => {
    const { caller } = await open();
    const outcome = await caller.perform({ ...RESERVE, endpoint: "/reverse" }, stepCall({}));
    expect(outcome).toMatchObject({ kind: "failed", retry: true, mayHaveRun: false, error: { status: 404 } });
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining("/reserve, /release") } });
  });

  it("do not leave when they are too large, and are not tried again", async () => {
    const { caller, stock } = await open();
    const outcome = await caller.perform(RESERVE, stepCall({ note: "x".repeat(2_000_000) }));
    expect(outcome).toMatchObject({ kind: "failed", retry: false, mayHaveRun: false });
    expect(outcome).toMatchObject({ error: { code: "payload-too-large" } });
    expect(stock.tries).toBe(0);
  });

  it("whose answer is too large have run, with an output that is not known", async () => {
    const { caller, stock } = await open();
    const outcome = await caller.perform(RESERVE, stepCall({ say: "large" }));
    expect(outcome).toMatchObject({
      kind: "failed",
      retry: false,
      mayHaveRun: true,
      error: { code: "output-unknown" },
    });
    expect(stock.effects()).toHaveLength(1);
  });

  it("of two processes are each answered to the one who asked", async () => {
    const { newBroker, caller } = await open();
    const callers = [caller, createCaller(await newBroker())];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => {
        const call = stepCall({}, { stage: `s${n}` });
        return callers[n % 2]?.perform(RESERVE, call);
      }),
    );
    expect(answers).toEqual(answers.map((_, n) => ({ kind: "completed", output: { reserved: `${RUN}:s${n}` } })));
  });

  it("that nobody answers time out as what may have run, and say where nobody listens", async () => {
    const caller = createCaller(await brokers()());
    const outcome = await caller.perform(RESERVE, stepCall({}, { timeoutMs: 300 }));
    expect(outcome).toMatchObject({ kind: "failed", retry: true, mayHaveRun: true, error: { code: "timeout" } });
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining("listens on request.stock") } });
  });

  it("ignore an answer that comes after their time, and are answered when they are repeated", async () => {
    const { caller, stock } = await open();
    const wait = door();
    stock.before = () => wait.opened;
    expect(await caller.perform(RESERVE, stepCall({}, { timeoutMs: 300 }))).toMatchObject({ mayHaveRun: true });
    wait.open();
    await until(() => stock.effects().length === 1);
    expect(await caller.perform(RESERVE, stepCall({}, { attempt: 2 }))).toMatchObject({ kind: "completed" });
    expect(stock.effects()).toHaveLength(1);
  });

  it("whose time was over before they came are not performed", async () => {
    const newBroker = brokers();
    const stock = await createStock();
    const caller = createCaller(await newBroker());
    expect(await caller.perform(RESERVE, stepCall({}, { timeoutMs: 200 }))).toMatchObject({ mayHaveRun: true });
    await stock.listen(await newBroker());
    expect(await caller.perform(RESERVE, stepCall({}, { stage: "next" }))).toMatchObject({ kind: "completed" });
    expect(stock.effects()).toEqual([`${RUN}:next`]);
  });

  it("end at their signal, and when the caller closes", async () => {
    const calls = createBrokerCalls({ broker: await brokers()() });
    const caller = brokerParticipant({ name: "stock", calls });
    const abort = new AbortController();
    const aborted = caller.perform(RESERVE, stepCall({}, { signal: abort.signal }));
    const left = caller.perform(RESERVE, stepCall({}));
    abort.abort();
    expect(await aborted).toMatchObject({ kind: "failed", retry: true });
    await calls.close();
    expect(await left).toMatchObject({ kind: "failed", retry: true, error: { code: "runtime-stopped" } });
    expect(await caller.perform(RESERVE, stepCall({}))).toMatchObject({ error: { code: "runtime-stopped" } });
  });
});

it("carry what HTTP does: the protocol's headers, those of the settings, and the body", async () => {
  const newBroker = onNats();
  const seen: unknown[] = [];
  const stock = await createStock();
  const route = ({ method, headers, body }: { method: string; headers: object; body: unknown }) => {
    seen.push({ method, headers, body });
    return { status: 204, headers: {}, body: undefined };
  };
  await stock.listen(await newBroker(), { routes: { "/reserve": route } });
  const caller = createCaller(await newBroker());
  const call = stepCall({ n: 1 }, { attempt: 2, fence: 3 });
  expect(await caller.perform(RESERVE, call)).toEqual({ kind: "completed", output: null });
  expect(seen).toMatchObject([
    {
      method: "POST",
      headers: {
        ...{ "idempotency-key": `${RUN}:reserve`, "x-run-id": RUN, "x-run-fence": "3", "x-step": "reserve" },
        ...{ "x-attempt": "2", "x-tenant": "a" },
        traceparent: expect.stringMatching(/^00-0192f0c123457abc8def0123456789ab-[0-9a-f]{16}-01$/),
      },
      body: { run_id: RUN, stage: "reserve", input: { n: 1 }, outputs: {}, context: { seen: 1 } },
    },
  ]);
});

it("refuse a service's name that cannot be a word of a subject", () => {
  const calls = createBrokerCalls({ broker: {} as Broker });
  expect(() => brokerParticipant({ name: "a.b", calls })).toThrow(RuntimeError);
});
