import type { TakenChunk } from "../store/batch-store.js";

/** Owners of one chunk that are told apart; nobody has seen so many die of one. */
const OWNERS = 1_000;

/**
 * What an item's calls carry as their fence: it grows with each owner of the item's chunk, and with the chunk, for an item that is tried
 * again is in a later one. Chunks have owners of their own, so fences of two items say nothing about each other.
 */
export function itemFence({ n, fence }: Pick<TakenChunk, "n" | "fence">): number {
  return n * OWNERS + Math.min(fence, OWNERS - 1);
}
