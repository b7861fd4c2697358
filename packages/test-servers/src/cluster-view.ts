import type { Redis } from "./redis.js";
import { askRedis, replyText } from "./resp-client.js";

/** A node of a cluster as another one (or itself) sees it: a line of `CLUSTER NODES`. */
export interface ClusterMember {
  readonly id: string;
  readonly port: number;
  /** Such as `myself`, `master`, `slave`, `fail?`, `handshake`. */
  readonly flags: readonly string[];
  readonly connected: boolean;
  /** From the first to the last, inclusive. */
  readonly slots: readonly (readonly [number, number])[];
}

/** The cluster as this node sees it. */
export async function clusterView({ port }: Redis, signal?: AbortSignal): Promise<readonly ClusterMember[]> {
  const text = replyText(await askRedis(port, ["CLUSTER", "NODES"], signal));
  return text
    .trimEnd()
    .split("\n")
    .map((line) => memberOf(line));
}

export async function clusterIdOf({ port }: Redis, signal?: AbortSignal): Promise<string> {
  return replyText(await askRedis(port, ["CLUSTER", "MYID"], signal));
}

export function hasSlot({ slots }: ClusterMember, slot: number): boolean {
  return slots.some(([first, last]) => first <= slot && slot <= last);
}

/** `<id> <ip>:<port>@<bus port> <flags> <master> <ping> <pong> <epoch> <link> <slot or range>...` */
function memberOf(line: string): ClusterMember {
  const [id = "", address = "", flags = "", , , , , link, ...slots] = line.split(" ");
  return {
    id,
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    flags: flags.split(","),
    connected: link === "connected",
    // In brackets: a slot on its way, which belongs to whom it belonged before.
    slots: slots.filter((range) => !range.startsWith("[")).map(rangeOf),
  };
}

function rangeOf(text: string): readonly [number, number] {
  const [first = "", last = first] = text.split("-");
  return [Number(first), Number(last)];
}
