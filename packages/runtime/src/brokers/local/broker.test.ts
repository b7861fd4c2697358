import { createMemoryRunStore, createMemoryWorld } from "../../stores/memory/index.js";
import { brokerContract } from "../../testing/broker-contract.js";
import { openPair } from "./local-pair.test.support.js";

brokerContract("local, in memory", {
  open() {
    const world = createMemoryWorld();
    const openStore = async () => {
      const store = createMemoryRunStore({ world, workers: "many" });
      await store.open();
      return store;
    };
    return openPair(openStore, async () => {});
  },
});
