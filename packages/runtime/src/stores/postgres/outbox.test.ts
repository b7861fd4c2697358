import pg from "pg";
import { expect, it } from "vitest";
import type { EventMessage } from "../../broker/event-message.js";
import { SeededRandom } from "../../simulation/seeded-random.js";
import { shardOf } from "../../store/event-shard.js";
import { type EventStore, SHARDS } from "../../store/event-store.js";
import {
  eventsOf,
  GROUP,
  idsIn,
  keyIn,
  leaseOf,
  newEvent,
  newEvents,
  readAll,
} from "../../testing/event-store/harness.js";
import { claimNew, newRun, nextAppend } from "../../testing/run-store-contract/harness.js";
import { type PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

/** What is special to an outbox that many connections write at once. */

const { open } = postgresForTests();

const test = (title: string, body: (under: PostgresUnderTest, events: EventStore) => Promise<void>): void =>
  it(title, async () => {
    const under = await open();
    try {
      await body(under, eventsOf(under.store));
    } finally {
      await under.close();
    }
  });

/** As a relay reads: from where it was, shard after shard. */
function readerOf(events: EventStore) {
  const positions = new Map<number, string>();
  const seen: EventMessage[] = [];
  return {
    seen,
    async read(): Promise<void> {
      for (let shard = 0; shard < SHARDS; shard++) {
        const found = await events.read(shard, positions.get(shard) ?? null, 50);
        for (const { position, event } of found) {
          positions.set(shard, position);
          seen.push(event);
        }
      }
    },
  };
}

test("never passes by what was put first and is committed last, while others put and are read", async (under, events) => {
  const reader = readerOf(events);
  await events.put([newEvent(0)]);
  await reader.read();
  const late = await under.begin();
  await events.putWithin(late, [newEvent(1)]);
  for (let n = 2; n <= 20; n++) {
    await events.put([newEvent(n)]);
    await reader.read();
  }
  expect(reader.seen.map(({ id }) => id)).toEqual(["event-0"]);
  await late.query("commit");
  await reader.read();
  expect(reader.seen).toEqual(newEvents(0, 20));
});

test("never passes by events that others put while a transaction was open that then rolled back", async (under, events) => {
  const reader = readerOf(events);
  const late = await under.begin();
  await events.putWithin(late, [newEvent(1)]);
  await events.put([newEvent(2)]);
  await reader.read();
  await late.query("rollback");
  await reader.read();
  expect(reader.seen.map(({ id }) => id)).toEqual(["event-2"]);
});

test("keeps the order of commits of a key when the one that comes second began first", async (under, events) => {
  const [early, late] = [await under.begin(), await under.begin()];
  // From here on it has the lower number of the two.
  await early.query(`insert into "${under.schema}".step_effects values ('early')`);
  await late.query(`insert into "${under.schema}".step_effects values ('late')`);
  await events.putWithin(late, [newEvent(1)]);
  await late.query("commit");
  await events.put([newEvent(2)]);
  await events.putWithin(early, [newEvent(3)]);
  await early.query("commit");
  expect((await readAll(events, shardOf("order-1"))).map(({ event }) => event.id)).toEqual([
    "event-1",
    "event-2",
    "event-3",
  ]);
});

test("writes the events of a batch of rows in the rows' one commit", async ({ store, query, schema }) => {
  const runs = await claimNew(store, "w", 40);
  const ends = { change: { status: "completed" }, next: { kind: "finish" } } as const;
  await store.append(runs.map((run, n) => nextAppend(run, { ...(n % 2 === 0 && ends), events: [newEvent(n)] })));
  await store.create(
    Array.from({ length: 40 }, (_, n) => newRun(100 + n, { events: [newEvent(100 + n, { key: "start" })] })),
  );
  const commitsOf = (table: string, where: string) =>
    query(
      `select count(*)::int as rows, min(xmin::text) as first, max(xmin::text) as last from "${schema}".${table} where ${where}`,
    );
  const [[rows], [events], [starts]] = await Promise.all([
    commitsOf("journal", "seq = 1"),
    commitsOf("events", "key = 'order-1'"),
    commitsOf("events", "key = 'start'"),
  ]);
  expect(events).toEqual(rows);
  expect(rows?.first).toBe(rows?.last);
  expect([starts?.rows, starts?.first]).toEqual([40, starts?.last]);
});

test("two writers of the same events wait for each other in one order", async (under, events) => {
  const other = eventsOf(await under.reopen());
  const all = newEvents(10, 29);
  // Both have written what comes before the one in the middle, in their order, and wait for that one.
  const middle = await under.begin();
  await events.putWithin(middle, [newEvent(20)]);
  const put = [events.put(all), other.put([...all].reverse())];
  const blocked = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%"${under.schema}"%'`;
  while ((await under.query(blocked)).length < 2);
  await middle.query("rollback");
  const kinds = (await Promise.all(put)).flat().map(({ kind }) => kind);
  // A deadlock would end one of them with `store-unavailable`.
  expect(kinds.filter((kind) => kind === "stored").length).toBe(all.length);
  expect((await idsIn(events)).length).toBe(all.length);
});

test("a batch waits for an event of its own that another transaction is about to put, and is stored with it", async (under, events) => {
  const [run] = await claimNew(under.store, "w", 1);
  if (!run) return expect.unreachable();
  const other = await under.begin();
  await events.putWithin(other, [newEvent(1, { body: "of the other" })]);
  const appended = under.store.append([nextAppend(run, { events: newEvents(1, 2) })]);
  await under.waitUntilBlocked();
  await other.query("commit");
  expect(await appended).toMatchObject([{ kind: "appended" }]);
  const stored = (await readAll(events, shardOf("order-1"))).map(({ event: { id, body } }) => [id, body]);
  expect(stored.sort()).toEqual([
    ["event-1", "of the other"],
    ["event-2", newEvent(2).body],
  ]);
});

test("puts what comes meanwhile in one commit, and each call has results of its own", async (under, events) => {
  const { query, schema } = under;
  const calls = Array.from({ length: 30 }, (_, n) => events.put([newEvent(n), newEvent(n % 10)]));
  const results = (await Promise.all(calls)).map((each) => each.map(({ kind }) => kind));
  for (const [n, [own, shared]] of results.entries()) expect([n, own, shared]).toEqual([n, "stored", "duplicate"]);
  const [commits] = await query(`select count(distinct xmin::text)::int as n from "${schema}".events`);
  expect(Number(commits?.n)).toBeLessThan(5);
});

test("refuses and finds nothing for others when calls go together", async (_under, events) => {
  const first = events.put([newEvent(1)]);
  const [bad, again, good] = await Promise.all([
    events.put([newEvent(2, { body: "a\0b" })]),
    events.put([newEvent(1)]),
    events.put([newEvent(3)]),
  ]);
  expect([await first, bad?.[0]?.kind, again, good]).toEqual([
    [{ kind: "stored" }],
    "rejected",
    [{ kind: "duplicate" }],
    [{ kind: "stored" }],
  ]);
});

test("a call that waits for another's transaction in vain fails alone", async (under) => {
  const events = eventsOf(await under.reopen({ statementTimeoutMs: 500 }));
  const other = await under.begin();
  await events.putWithin(other, [newEvent(1)]);
  const first = events.put([newEvent(0)]);
  const [stuck, good] = await Promise.allSettled([events.put([newEvent(1)]), events.put([newEvent(2)])]);
  expect(await first).toEqual([{ kind: "stored" }]);
  expect(stuck).toMatchObject({ status: "rejected", reason: { code: "store-unavailable" } });
  expect(good).toEqual({ status: "fulfilled", value: [{ kind: "stored" }] });
});

test("keeps a key's order and every event when the statement is split", async (_under, events) => {
  const large = newEvents(1, 12).map((event) => ({ ...event, body: "x".repeat(900_000) }));
  expect((await events.put(large)).every(({ kind }) => kind === "stored")).toBe(true);
  expect((await readAll(events, shardOf("order-1"), null, 3)).map(({ event }) => event.id)).toEqual(
    large.map(({ id }) => id),
  );
});

test("a flush with events costs one notification", async ({ store, schema, url }) => {
  const runs = await claimNew(store, "w", 50);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const heard: string[] = [];
    let wake = (): void => {};
    client.on("notification", ({ payload = "" }) => {
      if (payload.startsWith("put ")) heard.push(payload);
      wake();
    });
    await client.query(`listen "${schema} runs"`);
    const heardOf = async (shard: number): Promise<void> => {
      while (!heard.some((payload) => payload.slice(4).split(",").includes(String(shard))))
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    };
    await store.append(runs.map((run, n) => nextAppend(run, { events: [newEvent(n, { key: keyIn(n % 8) })] })));
    await heardOf(7);
    expect(heard).toEqual(["put 0,1,2,3,4,5,6,7"]);
  } finally {
    await client.end();
  }
});

test("tells other instances which shards were put into, and a newcomer to look at all", async ({
  store,
  reopen,
}, events) => {
  const heard: (readonly number[])[] = [];
  let wake = (): void => {};
  const hear = async (shards: readonly number[]): Promise<void> => {
    while (!heard.some((each) => each.join() === shards.join()))
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };
  await reopen({}, (other) =>
    other.events?.listen?.((shards) => {
      heard.push(shards);
      wake();
    }),
  );
  await hear(Array.from({ length: SHARDS }, (_, shard) => shard));
  await events.put([newEvent(1, { key: keyIn(3) })]);
  await hear([3]);
  await store.create([newRun(1, { events: [newEvent(2, { key: keyIn(5) })] })]);
  await hear([5]);
});

test("notifies nobody in a transaction of the caller's, and tells of it soon after", async (under) => {
  const heard: (readonly number[])[] = [];
  const events = eventsOf(await under.reopen({}, (store) => store.events?.listen?.((shards) => heard.push(shards))));
  const client = await under.begin();
  const said: string[] = [];
  const query = client.query.bind(client) as (text: string, values?: unknown[]) => Promise<unknown>;
  const noted = {
    query(text: string, values: unknown[]) {
      said.push(text);
      return query(text, values);
    },
  };
  await events.putWithin(noted, [newEvent(1, { key: keyIn(7) })]);
  await query("commit");
  expect(said).toHaveLength(1);
  expect(said[0]).not.toContain("pg_notify");
  await expect.poll(() => heard.some((shards) => shards.join() === "7")).toBe(true);
});

const WRITERS = 4;
const TRANSACTIONS = 60;

for (const seed of [1, 2, 3])
  test(`gives what was committed and nothing else, each key in order, under writers that roll back (seed ${seed})`, async (under, events) => {
    const pool = new pg.Pool({ connectionString: under.url, max: WRITERS });
    const committed = new Map<string, string[]>();
    const write = async (writer: number): Promise<void> => {
      const random = new SeededRandom(seed * 100 + writer);
      for (let n = 0; n < TRANSACTIONS; n++) {
        const key = `key ${random.below(40)}`;
        const ids = Array.from({ length: 1 + random.below(3) }, (_, part) => `${writer}/${n}/${part}`);
        const put = ids.map((id) => ({ ...newEvent(0, { key }), id }));
        const client = await pool.connect();
        await client.query("begin");
        // Writes before it has the key: another one, that began later, may come in between.
        if (random.chance(0.5))
          await client.query(`insert into "${under.schema}".step_effects values ($1)`, [`${writer}`]);
        await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [key]);
        await events.putWithin(client, put);
        const keeps = random.chance(0.7);
        // Whoever holds the key is the only one to say what is committed next.
        if (keeps) committed.set(key, [...(committed.get(key) ?? []), ...ids]);
        await client.query(keeps ? "commit" : "rollback");
        client.release();
      }
    };
    const reader = readerOf(eventsOf(await under.reopen()));
    let writing = true;
    const reading = (async () => {
      while (writing) await reader.read();
      await reader.read();
      for (let before = -1; before < reader.seen.length; ) {
        before = reader.seen.length;
        await reader.read();
      }
    })();
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
    writing = false;
    await reading;
    await pool.end();
    const seen = new Map<string, string[]>();
    for (const { key, id } of reader.seen) seen.set(key, [...(seen.get(key) ?? []), id]);
    expect(seen).toEqual(committed);
  });

/** As a dump restored on a server that has counted fewer transactions. */
const moveToAnotherServer = ({ query, schema }: PostgresUnderTest) =>
  query(`update "${schema}".events set place = place + 1000000000;
    update "${schema}".event_shards set place = place + 1000000000 where place > 0`);

test("goes on where it was when the database was restored on another server", async (under, events) => {
  for (const id of [1, 2, 3]) await events.put(newEvents(10 * id, 10 * id + 2));
  const stored = await readAll(events, shardOf("order-1"));
  const lease = await leaseOf(events, shardOf("order-1"), "member");
  await events.advance(GROUP, lease, stored[3]?.position ?? null, "note");
  await moveToAnotherServer(under);
  const restored = eventsOf(await under.reopen());
  await restored.put([newEvent(40)]);
  const { position, note } = await leaseOf(restored, shardOf("order-1"), "member");
  const ids = [...stored.slice(4).map(({ event }) => event.id), "event-40"];
  expect((await readAll(restored, shardOf("order-1"), position)).map(({ event }) => event.id)).toEqual(ids);
  expect(note).toBe("note");
  expect((await idsIn(restored)).length).toBe(10);
});

test("forgets no position that lies before all that is left when it was restored", async (under, events) => {
  const shard = shardOf("order-1");
  await events.put(newEvents(1, 2));
  const last = (await readAll(events, shard)).at(-1)?.position ?? null;
  await events.advance(GROUP, await leaseOf(events, shard, "member"), last, null);
  await under.advance(100);
  await events.pruneOutbox(await under.store.now(), 10);
  await moveToAnotherServer(under);
  const restored = eventsOf(await under.reopen());
  await restored.put([newEvent(3)]);
  const { position } = await leaseOf(restored, shard, "member");
  expect((await readAll(restored, shard, position)).map(({ event }) => event.id)).toEqual(["event-3"]);
});
