import { clusterIdOf, clusterView, hasSlot } from "./cluster-view.js";
import type { Redis } from "./redis.js";
import { askRedis } from "./resp-client.js";
import { waitUntil } from "./wait-until.js";

export const SLOTS = 16_384;

/** Keys in one MIGRATE, and how long it may take, ms. */
const KEYS_AT_ONCE = 100;
const MIGRATE_WITHIN_MS = 5_000;
/** Of a node that is asked whether it owns a slot: a paused one must not hold up the others. */
const ANSWER_WITHIN_MS = 1_000;

/** The running master that says that the slot is its own. */
export async function ownerOf(nodes: readonly Redis[], slot: number): Promise<Redis> {
  for (const node of nodes.filter(({ pid }) => pid !== undefined)) {
    const view = await clusterView(node, AbortSignal.timeout(ANSWER_WITHIN_MS)).catch(() => []);
    const itself = view.find(({ flags }) => flags.includes("myself"));
    if (itself !== undefined && hasSlot(itself, slot)) return node;
  }
  throw new Error(`expected a running node that owns slot ${slot}, got none; slots go from 0 to ${SLOTS - 1}`);
}

/**
 * Moves a slot between running masters while clients use it. In this order no key is ever out of reach: the new owner
 * expects the slot before the old one sends clients to it (ASK), the keys go over one by one, and the new owner takes the
 * slot before the old one gives it up (MOVED). `meanwhile` runs between the last key and the handover.
 */
export async function moveSlot(
  nodes: readonly Redis[],
  slot: number,
  to: Redis,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const from = await ownerOf(nodes, slot);
  const masters = await mastersOf(nodes);
  if (!masters.includes(to))
    throw new Error(`expected a running master of this cluster to move slot ${slot} to, got port ${to.port}`);
  if (from === to) return;
  const [fromId, toId] = [await clusterIdOf(from), await clusterIdOf(to)];
  await to.command("CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", fromId);
  await from.command("CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", toId);
  await migrateKeys(from, to, slot);
  try {
    await meanwhile();
  } finally {
    const others = masters.filter((node) => node !== to && node !== from);
    for (const node of [to, from, ...others]) await node.command("CLUSTER", "SETSLOT", `${slot}`, "NODE", toId);
    await waitUntil(`every node to know that slot ${slot} is at port ${to.port}`, async (signal) => {
      for (const node of nodes.filter(({ pid }) => pid !== undefined)) {
        const owner = (await clusterView(node, signal)).find((member) => hasSlot(member, slot));
        if (owner?.id !== toId) return `port ${owner?.port} from port ${node.port}`;
      }
      return null;
    });
  }
}

async function mastersOf(nodes: readonly Redis[]): Promise<readonly Redis[]> {
  const masters: Redis[] = [];
  for (const node of nodes.filter(({ pid }) => pid !== undefined)) {
    const view = await clusterView(node, AbortSignal.timeout(ANSWER_WITHIN_MS));
    if (view.some(({ flags }) => flags.includes("myself") && flags.includes("master"))) masters.push(node);
  }
  return masters;
}

async function migrateKeys(from: Redis, to: Redis, slot: number): Promise<void> {
  const next = ["CLUSTER", "GETKEYSINSLOT", `${slot}`, `${KEYS_AT_ONCE}`];
  for (;;) {
    // Keys are bytes; as text they could come back as other keys.
    const reply = await askRedis(from.port, next);
    const keys = Array.isArray(reply) ? reply.filter((key) => Buffer.isBuffer(key)) : [];
    if (keys.length === 0) return;
    const place = ["127.0.0.1", `${to.port}`, "", "0", `${MIGRATE_WITHIN_MS}`];
    await askRedis(from.port, ["MIGRATE", ...place, "KEYS", ...keys]);
  }
}
