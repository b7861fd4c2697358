import { describe, expect } from "vitest";
import { MAX_UNREAD } from "../../store/run-store.js";
import {
  activate,
  appendOne,
  type ContractTest,
  claimAll,
  claimNew,
  current,
  everythingOf,
  first,
  newSignal,
  nextAppend,
  POISON,
  runId,
} from "./harness.js";

export function messaging(test: ContractTest): void {
  describe("append with signals", () => {
    test("puts messages into other runs' inboxes and wakes them, in the write that ends the sender", async ({
      store,
      near,
    }) => {
      const [child, sleeping, owned] = await claimNew(store, "w", 3);
      if (!child || !sleeping || !owned) return expect.unreachable();
      await appendOne(
        store,
        nextAppend(sleeping, { change: { status: "waiting" }, next: { kind: "park", delayMs: null } }),
      );
      const message = { kind: "child", name: "ended", payload: { list: [] }, actor: child.id } as const;
      const signals = [newSignal(sleeping.id, "c", message), newSignal(owned.id, "c", message)];
      const end = nextAppend(child, { change: { status: "completed" }, next: { kind: "finish" }, signals });
      const sent = await appendOne(store, end);
      if (sent.kind !== "appended") return expect.unreachable();
      const at = near(await store.now());
      expect(await current(store, sleeping.id)).toMatchObject({ status: "waiting", owner: null, wakeAt: at });
      expect((await activate(store, "w", [owned.id])).inbox).toEqual([{ ...signals[1], at }]);
      expect(first(await claimAll(store, "w")).inbox).toEqual([{ ...signals[0], at }]);

      expect(await appendOne(store, end)).toMatchObject({ kind: "appended", at: sent.at, parked: false });
      expect((await activate(store, "w", [owned.id, sleeping.id])).inbox.length).toBe(2);
    });

    test("keeps the receiver of an unread message from being parked", async ({ store }) => {
      const [child, parent] = await claimNew(store, "w", 2);
      if (!child || !parent) return expect.unreachable();
      await appendOne(store, nextAppend(child, { signals: [newSignal(parent.id, "c", { kind: "child" })] }));
      const park = nextAppend(parent, { next: { kind: "park", delayMs: null } });
      expect(await appendOne(store, park)).toMatchObject({ parked: false });
      expect(await current(store, parent.id)).toMatchObject({ owner: "w" });
    });

    test("drops those to unknown and ended runs and those that were seen, and takes the rest", async ({ store }) => {
      const [sender, ended, other] = await claimNew(store, "w", 3);
      if (!sender || !ended || !other) return expect.unreachable();
      await appendOne(store, nextAppend(ended, { change: { status: "failed" }, next: { kind: "finish" } }));
      await store.signal([newSignal(other.id, "seen")]);
      await appendOne(store, nextAppend(other, { consumed: ["seen"] }));
      const before = await everythingOf(store, ended.id);
      const signals = [runId(99), ended.id, other.id].map((run) => newSignal(run, "seen"));
      signals.push(newSignal(other.id, "twice"), newSignal(other.id, "twice", { payload: "other" }));
      expect(await appendOne(store, nextAppend(sender, { signals }))).toMatchObject({ kind: "appended" });
      const { inbox } = await activate(store, "w", [sender.id, other.id]);
      expect(inbox.map(({ run, id, payload }) => [run, id, payload])).toEqual([[other.id, "twice", { id: "twice" }]]);
      expect(await everythingOf(store, ended.id)).toEqual(before);
      expect(await store.get(runId(99))).toBeUndefined();
    });

    test("sends nothing when the lease is lost, and rejects what cannot be stored or goes to the run itself", async ({
      store,
    }) => {
      const [sender, other] = await claimNew(store, "w", 2);
      if (!sender || !other) return expect.unreachable();
      const signals = [newSignal(other.id, "c")];
      expect(await appendOne(store, nextAppend({ ...sender, fence: 2 }, { signals }))).toEqual({ kind: "lease-lost" });
      expect(await appendOne(store, nextAppend({ ...sender, seq: 1 }, { signals }))).toEqual({ kind: "lease-lost" });
      const bad = [
        newSignal(sender.id, "c"),
        newSignal(other.id, ""),
        ...POISON.map(([, text]) => newSignal(other.id, text)),
      ];
      for (const signal of bad)
        expect(
          await appendOne(store, nextAppend(sender, { signals: [...signals, signal] })),
          JSON.stringify(signal),
        ).toMatchObject({ kind: "rejected" });
      expect((await activate(store, "w", [sender.id, other.id])).inbox).toEqual([]);
      expect(await current(store, sender.id)).toMatchObject({ seq: 0 });
    });
  });

  describe("a full inbox", () => {
    test(`takes ${MAX_UNREAD} unread messages of a run, then none until some are consumed`, async ({ store }) => {
      const [run, other] = await claimNew(store, "w", 2);
      if (!run || !other) return expect.unreachable();
      const ids = Array.from({ length: MAX_UNREAD + 2 }, (_, n) => `s${n}`);
      const results = await store.signal(ids.map((id) => newSignal(run.id, id)));
      expect(results).toEqual([...Array(MAX_UNREAD).fill("accepted"), "full", "full"]);
      expect(await store.signal([newSignal(run.id, "s0"), newSignal(other.id, "s")])).toEqual([
        "duplicate",
        "accepted",
      ]);
      await appendOne(store, nextAppend(run, { consumed: ["s0"] }));
      expect(await store.signal([newSignal(run.id, "late"), newSignal(run.id, "later")])).toEqual(["accepted", "full"]);
    });

    test("takes what an append brings all the same", async ({ store }) => {
      const [run, sender] = await claimNew(store, "w", 2);
      if (!run || !sender) return expect.unreachable();
      await store.signal(Array.from({ length: MAX_UNREAD }, (_, n) => newSignal(run.id, `s${n}`)));
      await appendOne(store, nextAppend(sender, { signals: [newSignal(run.id, "c", { kind: "child" })] }));
      const { inbox } = await activate(store, "w", [run.id, sender.id]);
      expect([inbox.length, inbox.at(-1)?.id]).toEqual([MAX_UNREAD + 1, "c"]);
      expect(await store.signal([newSignal(run.id, "more")])).toEqual(["full"]);
    });
  });
}
