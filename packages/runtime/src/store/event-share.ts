import { SHARDS } from "./event-store.js";

/**
 * How many shards are a member's own, of a group whose live members are these. The members' order is that of their ids, so all of them come
 * to the same shares, which sum up to all shards and differ by one at most. Those beyond the number of shards have none.
 */
export function shareOf(member: string, members: readonly string[]): number {
  const place = [...members].sort().indexOf(member);
  return Math.floor(SHARDS / members.length) + (place < SHARDS % members.length ? 1 : 0);
}
