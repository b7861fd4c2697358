import { describe, expect, it } from "vitest";
import type { QueueLimit } from "../../store/queue-limit.js";
import type { RunStore, StoreHint } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  DEFINITION,
  first,
  newRun,
  nextAppend,
  runId,
} from "../../testing/run-store-contract/harness.js";
import { claimLimited, waitingRun } from "../../testing/run-store-contract/queueing.js";
import { type PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();
const ends = { change: { status: "completed" }, next: { kind: "finish" } } as const;
const limited = (limit: Partial<QueueLimit>, queue = "mail"): QueueLimit => ({
  ...{ queue, concurrency: null, concurrencyPerKey: null, rateLimit: null },
  ...limit,
});

describe("queues on postgres", () => {
  const test = (title: string, body: (under: PostgresUnderTest) => Promise<void>): void =>
    it(title, async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });

  /** Four instances, each with a worker of its own. */
  async function instances({ reopen }: PostgresUnderTest): Promise<{ store: RunStore; worker: string }[]> {
    const stores = await Promise.all([1, 2, 3, 4].map(() => reopen()));
    const members = stores.map((store, index) => ({ store, worker: `w${index}` }));
    for (const { store, worker } of members) await activate(store, worker);
    return members;
  }

  test("never begin more than their places and those of a key, however many claim and end runs at once", async (under) => {
    const keys = ["a", "a", "a", "b", "c"];
    const runs = Array.from({ length: 120 }, (_, n) => waitingRun(n + 1, { partitionKey: keys[n % 5] ?? null }));
    await under.store.create(runs);
    const queues = [limited({ concurrency: 5, concurrencyPerKey: 2 })];
    const held = new Map<string, string | null>();
    const begun: string[] = [];
    let most = 0;
    const work = async ({ store, worker }: { store: RunStore; worker: string }): Promise<void> => {
      while (begun.length < runs.length) {
        const claimed = await claimLimited(store, queues, { worker, limit: 3 });
        for (const { run } of claimed) {
          begun.push(run.id);
          held.set(run.id, run.partitionKey);
        }
        most = Math.max(most, held.size);
        expect(held.size).toBeLessThanOrEqual(5);
        for (const key of "abc")
          expect([...held.values()].filter((each) => each === key).length).toBeLessThanOrEqual(2);
        for (const { run } of claimed) {
          held.delete(run.id);
          await appendOne(store, nextAppend(run, ends));
        }
      }
    };
    await Promise.all((await instances(under)).map(work));
    expect(new Set(begun).size).toBe(runs.length);
    expect(most).toBeGreaterThan(1);
  });

  test("never begin more in a window than their rate, however many claim at once", async (under) => {
    await under.store.create(Array.from({ length: 100 }, (_, n) => waitingRun(n + 1)));
    const queues = [limited({ rateLimit: { max: 10, windowMs: 1_000 } })];
    const members = await instances(under);
    const claimAtOnce = async (): Promise<number> => {
      const calls = [...members, ...members].map(({ store, worker }) =>
        claimLimited(store, queues, { worker, limit: 4 }),
      );
      return (await Promise.all(calls)).flat().length;
    };
    /** Whoever finds the queue locked gets nothing, and asks again. */
    const claimMuch = async (): Promise<number> => {
      let begun = 0;
      for (let tries = 0; tries < 10; tries++) begun += await claimAtOnce();
      return begun;
    };
    expect(await claimMuch()).toBe(10);
    await under.advance(1_000);
    expect(await claimMuch()).toBe(10);
  });

  test("hint at a place that got free, if somebody waits for it", async ({ store, reopen }) => {
    const heard: string[] = [];
    let wake: () => void = () => {};
    await reopen({}, (other) =>
      other.listen?.((hint: StoreHint) => {
        heard.push(hint.kind);
        wake();
      }),
    );
    const hear = async (kind: string): Promise<void> => {
      while (!heard.includes(kind))
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    };
    await activate(store, "w");
    const queues = [limited({ concurrency: 1 })];
    await store.create([1, 2, 3].map((n) => waitingRun(n)));
    const { run } = first(await claimLimited(store, queues));
    await store.signal([{ run: run.id, id: "s", kind: "signal", name: "s", payload: null, actor: "t" }]);
    await hear("inbox");
    heard.length = 0;
    await appendOne(store, nextAppend(run, ends));
    await hear("due");
    const second = first(await claimLimited(store, queues)).run;
    heard.length = 0;
    await appendOne(store, nextAppend(second, { change: { status: "stuck" }, next: { kind: "park", delayMs: null } }));
    await hear("due");
    const third = first(await claimLimited(store, queues)).run;
    heard.length = 0;
    await appendOne(store, nextAppend(third, ends));
    await store.signal([{ run: second.id, id: "s", kind: "signal", name: "s", payload: null, actor: "t" }]);
    await hear("due");
    // That of the signal alone: nobody waited when the third one ended.
    expect(heard).toEqual(["due"]);
  });

  test("pass by a queue from which another one claims, and are told to come again", async ({
    store,
    schema,
    begin,
  }) => {
    await activate(store, "w");
    await store.create([waitingRun(1), waitingRun(2), waitingRun(3, { queue: "other" }), newRun(4)]);
    const queues = [limited({ concurrency: 1 }), limited({ concurrency: 1 }, "other")];
    const { run } = first((await claimLimited(store, queues)).filter((each) => each.run.queue === "mail"));
    await appendOne(store, nextAppend(run, ends));
    await store.create([newRun(5)]);
    const client = await begin();
    await client.query(`select 1 from "${schema}".queues where queue = 'mail' for update`);
    const waits: number[] = [];
    const claim = { worker: "w", definitions: [DEFINITION], limit: 9, queues, onWait: (ms: number) => waits.push(ms) };
    expect((await store.claim(claim)).map((each) => each.run.id)).toEqual([runId(5)]);
    expect(waits).toEqual([20]);
    await client.query("rollback");
    expect((await claimLimited(store, queues)).map((each) => each.run.id)).toEqual([runId(2)]);
  });

  test("take nothing in after a run began, when it is begun and put off at the same time", async (under) => {
    const members = await instances(under);
    const debounce = { key: "k", maxMs: null };
    let created = 0;
    for (let round = 0; round < 20; round++) {
      const next = () => newRun(++created, { delayMs: 0, debounce, input: { n: created } });
      await under.store.create([next()]);
      const puts = members.map(({ store }) => store.create([next()]));
      const claims = members.map(({ store, worker }) => store.claim({ worker, definitions: [DEFINITION], limit: 10 }));
      const told = (await Promise.all(puts)).flat();
      const begun = (await Promise.all(claims)).flat();
      for (const { store, worker } of members)
        begun.push(...(await store.claim({ worker, definitions: [DEFINITION], limit: 10 })));
      const inputs = new Map(begun.map(({ run }) => [run.id, run.input]));
      expect(inputs.size).toBe(begun.length);
      for (const result of told) {
        if (!("run" in result)) return expect.unreachable();
        // Nothing was taken in after it began, and what was not taken in is a run of its own.
        expect((await under.store.get(result.run.id))?.input).toEqual(inputs.get(result.run.id));
      }
    }
  });
});
