import { createNatsBroker } from "@clean-arch/runtime/nats";
import { startNats } from "@clean-arch/test-servers";
import { expect, it, onTestFinished } from "vitest";
import { askJetStream, groupLag } from "./jetstream-api.js";

it("tells what a group has not handled, and nothing of what is not there or does not answer", async () => {
  const nats = await startNats();
  onTestFinished(() => nats.remove());
  const broker = createNatsBroker({ servers: nats.url, stream: "s", prefix: "s" });
  onTestFinished(() => broker.close());
  await broker.open();
  expect(await groupLag(nats.port, "s", "group")).toBeNull();
  const handle = () => new Promise<void>(() => {});
  const subscriber = await broker.subscribe({ group: "group", subjects: [">"], handle });
  onTestFinished(() => subscriber.stop(0));
  await broker.publish(["a", "b"].map((id) => ({ id, subject: "x.y", key: id, body: "{}" })));
  expect(await groupLag(nats.port, "s", "group")).toBe(2);
  expect(await askJetStream(nats.port, "CONSUMER.DELETE.s.group")).toMatchObject({ success: true });
  await nats.kill();
  expect(await groupLag(nats.port, "s", "group")).toBeNull();
});
