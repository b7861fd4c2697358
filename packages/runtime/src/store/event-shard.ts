import { SHARDS } from "./event-store.js";

/** Of the outbox, by the key's characters (FNV-1a, 32 bit): even, fast, and the same for ever. */
export function shardOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % SHARDS;
}
