import { describe, expect, it } from "vitest";
import type { StoreHint } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  claimAll,
  claimNew,
  claimOne,
  first,
  newRun,
  newSignal,
  nextAppend,
  RECORD,
  runId,
} from "../../testing/run-store-contract/harness.js";
import { runStoreContract } from "../../testing/run-store-contract.js";
import { createPostgresRunStore } from "./run-store.js";
import { type PostgresUnderTest, postgresForTests } from "./throwaway.test.support.js";

const { open, server } = postgresForTests();

runStoreContract("postgres", { open, singleWorker: false });

describe("postgres run store", () => {
  const test = (title: string, body: (under: PostgresUnderTest) => Promise<void>): void =>
    it(title, async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });

  it("is made once by ten instances that start together, in a schema of any name", async () => {
    const schema = `it's "the" schema`;
    const stores = Array.from({ length: 10 }, () => createPostgresRunStore({ url: server().url(), schema }));
    await Promise.all(stores.map((store) => store.open()));
    await first(stores.slice(0, 1)).create([newRun(1)]);
    for (const store of stores) expect(await store.get(runId(1))).toMatchObject({ status: "pending" });
    expect(server().run(`select count(*) from "it's ""the"" schema".migrations`)).toBe("4");
    await Promise.all(stores.map((store) => store.close()));
  });

  test("refuses a schema that a newer version wrote", async ({ reopen, query, schema }) => {
    await query(`insert into "${schema}".migrations (number, name) values (99, 'later')`);
    await expect(reopen()).rejects.toMatchObject({ code: "store-incompatible" });
  });

  test("refuses a database that is not there, and a user who may not use it", async ({ reopen, url }) => {
    const nowhere = url.replace(/[^/]*$/, "nowhere");
    await expect(reopen({ url: nowhere })).rejects.toMatchObject({ code: "store-incompatible" });
    await expect(reopen({ url: url.replace("postgres@", "nobody@") })).rejects.toMatchObject({
      code: "store-incompatible",
    });
  });

  test("tells other instances of messages and of runs that are due", async ({ store, reopen }) => {
    const heard = new Set<string>();
    let wake: () => void = () => {};
    await reopen({}, (other) =>
      other.listen?.((hint: StoreHint) => {
        heard.add(JSON.stringify(hint));
        wake();
      }),
    );
    const hear = async (hint: StoreHint): Promise<void> => {
      while (!heard.has(JSON.stringify(hint)))
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    };
    heard.clear();
    await store.create([newRun(1)]);
    await hear({ kind: "due" });
    await activate(store, "w");
    await claimAll(store, "w");
    await store.signal([newSignal(runId(1), "s")]);
    await hear({ kind: "inbox", run: runId(1) });
  });

  test("writes a batch in one commit", async ({ store, query, schema }) => {
    await activate(store, "w");
    const claim = (n: number) => ({ claim: { worker: "w", appendId: `c${n}`, records: [RECORD] } });
    const runs = Array.from({ length: 40 }, (_, n) => newRun(n + 1, { ...claim(n), key: `key ${n}` }));
    await store.create(runs);
    const ends = { change: { status: "completed" }, next: { kind: "finish" } } as const;
    const results = await store.append(
      runs.map(({ id }, n) => nextAppend({ id, fence: 1, seq: 1 }, n % 2 === 0 ? ends : {})),
    );
    expect(results.every((result) => result.kind === "appended")).toBe(true);
    const written = (table: string, where: string): Promise<Record<string, unknown>[]> =>
      query(
        `select count(*)::int as rows, count(distinct xmin::text)::int as commits from "${schema}".${table} where ${where}`,
      );
    expect(await written("journal", "seq = 1")).toEqual([{ rows: 40, commits: 1 }]);
    expect(await written("journal", "seq = 2")).toEqual([{ rows: 40, commits: 1 }]);
    expect(await written("runs", "status = 'completed'")).toEqual([{ rows: 20, commits: 1 }]);
  });

  test("ends no run whose parent cannot be told of it", async ({ store, query, schema }) => {
    const [child, parent] = await claimNew(store, "w", 2);
    if (!child || !parent) return expect.unreachable();
    await query(`create function "${schema}".refuse() returns trigger language plpgsql as $$ begin
      raise exception using errcode = '53100', message = 'no space left'; end $$;
      create trigger refuse before insert on "${schema}".inbox execute function "${schema}".refuse()`);
    const signals = [newSignal(parent.id, `end:${child.id}`, { kind: "child" })];
    const end = nextAppend(child, { change: { status: "completed" }, next: { kind: "finish" }, signals });
    await expect(appendOne(store, end)).rejects.toMatchObject({ code: "store-unavailable" });
    expect(await store.journal(child.id)).toEqual([]);
    await query(`drop trigger refuse on "${schema}".inbox`);
    expect(await appendOne(store, end)).toMatchObject({ kind: "appended" });
    expect((await activate(store, "w", [parent.id])).inbox).toMatchObject([{ id: `end:${child.id}` }]);
  });

  test("starts one run for 50 callers with one key, whichever instance each of them asks", async ({ reopen }) => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => reopen()));
    const calls = Array.from({ length: 50 }, async (_, n) => stores[n % 5]?.create([newRun(n + 1, { key: "k" })]));
    const results = (await Promise.all(calls)).map((answer) => first(answer ?? []));
    const { run } = first(results.filter(({ kind }) => kind === "created")) as { run: { id: string } };
    expect(results.map((result) => "run" in result && result.run.id)).toEqual(results.map(() => run.id));
  });

  describe("a stale owner's write that is still open", () => {
    /** A backend that wrote a row and does not answer: as of an owner that was paused between its statement and its commit. */
    const halfDead = async ({ schema, begin }: PostgresUnderTest, run: string, seq: number) => {
      const client = await begin();
      await client.query(
        `insert into "${schema}".journal (run, at, seq, fence, append_id, records) values ($1, 1, $2, 1, 'late', '[]')`,
        [run, seq],
      );
      return client;
    };

    test("keeps its own run from being taken over, and no other", async (under) => {
      const { store, advance } = under;
      const run = await claimOne(store, "old");
      await store.create([newRun(2)]);
      const client = await halfDead(under, run.id, 1);
      await advance(10_000);
      await activate(store, "new");
      expect((await claimAll(store, "new")).map(({ run: taken }) => taken.id)).toEqual([runId(2)]);
      await client.query("rollback");
      expect(first(await claimAll(store, "new"))).toMatchObject({ run: { id: run.id, fence: 2, seq: 1 } });
    });

    test("is in the journal that the new owner reads when it committed first", async (under) => {
      const { store, advance } = under;
      const run = await claimOne(store, "old");
      const client = await halfDead(under, run.id, 1);
      await advance(10_000);
      await activate(store, "new");
      const claiming = claimAll(store, "new");
      await under.waitUntilBlocked();
      await client.query("commit");
      const taken = first(await claiming);
      expect(taken.rows.map(({ seq, fence }) => [seq, fence])).toEqual([
        [1, 1],
        [2, 2],
      ]);
    });

    test("makes the same row sent again wait, and then count once", async (under) => {
      const run = await claimOne(under.store, "w");
      const append = nextAppend(run, { appendId: "late" });
      const client = await halfDead(under, run.id, 1);
      const again = appendOne(under.store, append);
      await under.waitUntilBlocked();
      await client.query("commit");
      expect(await again).toEqual({ kind: "appended", at: 1, parked: false });
      expect((await under.store.journal(run.id)).length).toBe(1);
    });
  });
});
