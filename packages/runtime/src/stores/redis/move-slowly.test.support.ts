import type { Redis, RedisCluster } from "@clean-arch/test-servers";
import { sleep, systemPorts } from "../../ports.js";
import type { SeededRandom } from "../../simulation/seeded-random.js";

/** A slot under way from one master to another. Keys of our tests are text. */
export interface SlotOnItsWay {
  readonly keys: readonly string[];
  move(key: string): Promise<void>;
  /** Moves what is left, and the slot itself; resolves when every node knows. */
  finish(): Promise<void>;
}

/** The new owner expects the slot of the key and the old one gives its keys away, none of them yet. */
export async function startMoving(cluster: RedisCluster, key: string, random: SeededRandom): Promise<SlotOnItsWay> {
  const slot = await slotOf(cluster, key);
  const from = await cluster.ownerOf(slot);
  const to = random.pick(cluster.nodes.filter((node) => node !== from));
  const idOf = (node: Redis): Promise<string> => node.command("CLUSTER", "MYID");
  await to.command("CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", await idOf(from));
  await from.command("CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", await idOf(to));
  const left = async (): Promise<string[]> => {
    const reply = await from.command("CLUSTER", "GETKEYSINSLOT", `${slot}`, "1000");
    return reply === "" ? [] : reply.split("\n");
  };
  // Without REPLACE: a key that came to be on both sides is refused, and the test fails.
  const move = async (moved: string): Promise<void> =>
    void (await from.command("MIGRATE", "127.0.0.1", `${to.port}`, moved, "0", "5000"));
  return {
    keys: await left(),
    move,
    async finish() {
      for (let keys = await left(); keys.length > 0; keys = await left()) for (const one of keys) await move(one);
      // Nothing is left, so this is only the handover.
      await cluster.moveSlot(slot, to);
    },
  };
}

/** Key by key, in any order, with time for callers in between. */
export async function moveSlowly(cluster: RedisCluster, key: string, random: SeededRandom): Promise<void> {
  const slot = await startMoving(cluster, key, random);
  for (const one of [...slot.keys].sort(() => random.float() - 0.5)) {
    await slot.move(one);
    await sleep(systemPorts.clock, random.below(10));
  }
  await slot.finish();
}

async function slotOf(cluster: RedisCluster, key: string): Promise<number> {
  return Number(await cluster.nodes[0]?.command("CLUSTER", "KEYSLOT", key));
}
