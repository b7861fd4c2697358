import { createMemoryRunStore } from "@clean-arch/runtime/memory";
import { createNatsBroker } from "@clean-arch/runtime/nats";
import { startNats } from "@clean-arch/test-servers";
import { expect, it, onTestFinished } from "vitest";
import { History } from "../history.js";
import type { BrokerFault } from "./broker-faults.js";
import { BrokerMischief } from "./broker-mischief.js";
import { askJetStream } from "./jetstream-api.js";

const COPIES = 20;

it("NATS forgets what came after its copy, takes events again that it knows, and runs in the end", async () => {
  const nats = await startNats();
  onTestFinished(() => nats.remove());
  const store = createMemoryRunStore();
  await store.open();
  onTestFinished(() => store.close());
  // In each shard some, whichever is drawn.
  const events = Array.from({ length: 200 }, (_, n) => ({ id: `e${n}`, subject: "a", key: `k${n}`, body: "{}" }));
  await store.events?.put(events);
  const broker = createNatsBroker({ servers: nats.url, stream: "s", prefix: "s" });
  onTestFinished(() => broker.close());
  await broker.open();
  const messages = async (): Promise<unknown> => {
    const state = (await askJetStream(nats.port, "STREAM.INFO.s"))?.state;
    return typeof state === "object" && state !== null ? Reflect.get(state, "messages") : null;
  };
  const history = new History();
  const mischief = new BrokerMischief({ seed: 1, nats, history, store, stream: "s", group: "g" });
  const done = async (...faults: BrokerFault[]): Promise<void> => {
    const last = faults.at(-1)?.kind;
    const happened = new Promise<void>((resolve) =>
      history.onEvent((event) => {
        if (event.kind === "fault" && event.fault === last) resolve();
      }),
    );
    mischief.start(faults.map((fault) => ({ at: 0, fault })));
    await happened;
  };

  await done({ kind: "nats-kill", downMs: 0, keeps: true });
  await expect.poll(() => broker.publish(events).then(messages, () => null), { timeout: 5_000 }).toBe(events.length);
  await done({ kind: "duplicates", count: COPIES });
  // Of one that was drawn twice at once NATS may still know the id.
  expect(await messages()).toBeGreaterThan(events.length);
  await done({ kind: "nats-rewind", downMs: 0, messagesOnly: false });
  expect(await messages()).toBe(0);
  await done({ kind: "stream-deleted" });
  expect(await messages()).toBeNull();
  await mischief.heal();
  expect(nats.pid).toBeDefined();
  expect([...mischief.counts.keys()]).toEqual(["nats-kill", "duplicates", "nats-rewind", "stream-deleted"]);
});
