import { type Nats, startNats } from "@clean-arch/test-servers";
import { afterAll, beforeAll } from "vitest";
import { brokerContract } from "../../testing/broker-contract.js";
import { openPair } from "./throwaway.test.support.js";

let server: Nats;
beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.remove());

brokerContract("nats", { open: () => openPair(server) });
