import { createSagaManager, resolveConfig } from "@clean-arch/runtime";
import { createMemoryRunStore } from "@clean-arch/runtime/memory";
import { expect, it } from "vitest";
import { Effects } from "../events/effects.js";
import { MESSAGES, STAGES } from "../events/scenarios.js";
import { FIVE_STAGES, fiveStages } from "./five-stages.js";

const SHARDS = 16;

it.each([
  ["choreographed, tells as many events as the chain of bare hops has messages", "choreography", MESSAGES],
  ["orchestrated, tells none", "orchestration", 0],
] as const)("the saga of five stages, %s", async (_, style, told) => {
  const effects = new Effects(STAGES);
  const store = createMemoryRunStore();
  const definition = fiveStages(style, (act, stage) => effects.done(act, stage));
  const manager = createSagaManager({ store, definitions: [definition], participants: {}, config: resolveConfig() });
  await manager.open();
  try {
    const { id } = await manager.start(FIVE_STAGES, { n: effects.begin() });
    expect((await manager.wait(id, 10_000)).status).toBe("completed");
    effects.check();
    const shards = Array.from({ length: SHARDS }, (_, shard) => store.events?.read(shard, null, 100) ?? []);
    expect((await Promise.all(shards)).flat()).toHaveLength(told);
  } finally {
    await manager.close();
  }
});
