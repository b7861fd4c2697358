import { freePort } from "@clean-arch/test-servers";
import { describe, expect, it } from "vitest";
import { brokerOf, nats, operatorOf, proxyTo } from "../brokers/nats/throwaway.test.support.js";
import { resolveConfig } from "../config.js";
import { BusinessRefusal } from "../errors.js";
import { saga } from "../saga/builder.js";
import { createSagaManager } from "../saga/saga-manager.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { door, until } from "../testing/broker/world.js";
import { createCaller, createStock, RESERVE, RUN, stepCall, undo } from "./stock-service.test.support.js";

const DONE = { kind: "completed", output: { reserved: `${RUN}:reserve` } };

describe("calls over NATS on bad days", () => {
  it("have surely not run while the broker is away, and go on when it comes", async () => {
    const port = await freePort();
    const stock = await createStock();
    const caller = createCaller(brokerOf(port));
    const notRun = { kind: "failed", retry: true, mayHaveRun: false, error: { code: "broker-unavailable" } };
    expect(await caller.perform(RESERVE, stepCall({}))).toMatchObject(notRun);
    const server = await nats({ port });
    // The service came before the broker did, too.
    await stock.listen(brokerOf(port));
    expect(await caller.perform(RESERVE, stepCall({}, { attempt: 2 }))).toEqual(DONE);
    await server.kill();
    await until(async () => {
      const outcome = await caller.perform(RESERVE, stepCall({}, { stage: "next", timeoutMs: 500 }));
      return outcome.kind === "failed" && !outcome.mayHaveRun;
    });
    expect(stock.effects()).toEqual([`${RUN}:reserve`]);
  });

  it("are answered when the server is killed and started again while they are performed", async () => {
    const server = await nats();
    const stock = await createStock();
    const listening = await stock.listen(brokerOf(server.port), { silenceMs: 500 });
    const caller = createCaller(brokerOf(server.port));
    const wait = door();
    stock.before = () => wait.opened;
    const answer = caller.perform(RESERVE, stepCall({}));
    await until(() => stock.tries === 1);
    await server.kill();
    await server.start();
    wait.open();
    expect(await answer).toEqual(DONE);
    expect(stock.effects()).toHaveLength(1);
    expect(listening.isListening).toBe(true);
  });

  it("wait for a service that is not there yet, over a restart of the server", async () => {
    const server = await nats();
    const stock = await createStock();
    const broker = brokerOf(server.port);
    await broker.open();
    const answer = createCaller(broker).perform(RESERVE, stepCall({}));
    const { connection, jsm } = await operatorOf(server.port);
    await until(async () => (await jsm.streams.info("clean-arch")).state.messages === 1);
    await connection.close();
    await server.kill();
    await server.start();
    await stock.listen(brokerOf(server.port));
    expect(await answer).toEqual(DONE);
  });

  it("go to another instance when the one that performs them dies, and have one effect", async () => {
    const server = await nats();
    const proxy = await proxyTo(server);
    const stock = await createStock();
    const caller = createCaller(brokerOf(server.port));
    const wait = door();
    stock.before = () => wait.opened;
    await stock.listen(brokerOf(proxy.port), { silenceMs: 500 });
    const answer = caller.perform(RESERVE, stepCall({}));
    await until(() => stock.tries === 1);
    proxy.refuse(true);
    proxy.silence();
    await stock.listen(brokerOf(server.port), { silenceMs: 500 });
    await until(() => stock.tries === 2);
    // The first one was only cut off, and both go on.
    wait.open();
    expect(await answer).toEqual(DONE);
    expect(stock.effects()).toHaveLength(1);
  });

  it("are repeated by the next owner of the run when the caller dies, and answered from what is known", async () => {
    const server = await nats();
    const proxy = await proxyTo(server);
    const stock = await createStock();
    await stock.listen(brokerOf(server.port));
    const wait = door();
    stock.before = () => wait.opened;
    const died = new AbortController();
    const first = createCaller(brokerOf(proxy.port)).perform(RESERVE, stepCall({}, { signal: died.signal }));
    await until(() => stock.tries === 1);
    proxy.refuse(true);
    proxy.silence();
    wait.open();
    await until(() => stock.effects().length === 1);
    const next = createCaller(brokerOf(server.port));
    expect(await next.perform(RESERVE, stepCall({}, { fence: 2, attempt: 2 }))).toEqual(DONE);
    expect(stock.effects()).toHaveLength(1);
    died.abort();
    expect(await first).toMatchObject({ kind: "failed", mayHaveRun: true });
  });

  it("leave nothing behind of a caller that has closed", async () => {
    const server = await nats();
    const broker = brokerOf(server.port);
    const stock = await createStock();
    const listening = await stock.listen(broker);
    const own = brokerOf(server.port);
    await createCaller(own).perform(RESERVE, stepCall({}));
    const { connection, jsm } = await operatorOf(server.port);
    const groups = async () => (await jsm.consumers.list("clean-arch").next()).map(({ name }) => name);
    expect(await groups()).toHaveLength(2);
    await own.close();
    expect(await groups()).toEqual(["stock"]);
    await connection.close();
    await listening.stop();
  });
});

it("a saga's stages are performed and undone over NATS while the server is killed again and again", async () => {
  const server = await nats();
  const stock = await createStock();
  await stock.listen(brokerOf(server.port), { silenceMs: 500 });
  const caller = createCaller(brokerOf(server.port));
  const compensate = { service: "stock", endpoint: "/release" };
  const order = saga<{ readonly n: number }>("order")
    .step("reserve", { service: "stock", endpoint: "/reserve", compensate })
    .step("pack", { service: "stock", endpoint: "/reserve", compensate })
    .step("ship", {
      run: ({ input }) => {
        if (input.n % 2 === 0) return;
        throw new BusinessRefusal("nobody lives there");
      },
    })
    .build();
  const manager = createSagaManager({
    ...{
      store: createMemoryRunStore(),
      definitions: [order],
      participants: { stock: { ...caller, timeoutMs: 1_000 } },
    },
    config: resolveConfig({ recovery: { initialDelayMs: 50, maxDelayMs: 200, maxAttempts: 50 } }),
  });
  await manager.open();
  const ends: Promise<{ readonly id: string; readonly status: string }>[] = [];
  for (let n = 0; n < 30; n += 1) {
    const { id } = await manager.start("order", { n });
    ends.push(manager.wait(id, 18_000));
    if (n % 10 !== 5) continue;
    await server.kill();
    await server.start();
  }
  const ended = await Promise.all(ends);
  const completed = ended.filter((_, n) => n % 2 === 0);
  expect(new Set(completed.map(({ status }) => status))).toEqual(new Set(["completed"]));
  expect(ended.filter((_, n) => n % 2 === 1).every(({ status }) => status === "compensated")).toBe(true);
  expect(stock.effects()).toEqual(completed.flatMap(({ id }) => [`${id}:pack`, `${id}:reserve`]).sort());
  await manager.close(1_000);
});

it("a run that waited in vain says where nobody listened", async () => {
  const server = await nats();
  const { perform, compensate } = createCaller(brokerOf(server.port));
  const stock = { description: "nats", timeoutMs: 500, perform, compensate };
  const order = saga("order").step("reserve", RESERVE).build();
  const manager = createSagaManager({
    ...{ store: createMemoryRunStore(), definitions: [order], participants: { stock } },
    config: resolveConfig({ recovery: { maxAttempts: 1 } }),
  });
  await manager.open();
  const { id } = await manager.start("order", {});
  const { error } = await manager.wait(id, 10_000);
  expect(error?.message).toContain("none of its instances listens on request.stock");
  await manager.close(1_000);
});

it("a compensation that comes before its step keeps it out", async () => {
  const server = await nats();
  const stock = await createStock();
  await stock.listen(brokerOf(server.port));
  const caller = createCaller(brokerOf(server.port));
  expect(await undo(caller, "unknown")).toEqual({ kind: "completed", output: null });
  expect(await caller.perform(RESERVE, stepCall({}))).toMatchObject({
    kind: "refused",
    error: { code: "compensated" },
  });
  expect(stock.effects()).toEqual([]);
});
