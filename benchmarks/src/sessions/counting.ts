import type { HttpConnection } from "./http-connection.js";
import { type Exchange, load } from "./load.js";
import type { ProxyProcess } from "./proxy-process.js";

/** Per request. */
export interface Counted {
  readonly commands: number;
  readonly roundTrips: number;
  /** Of the quickest request, from latency: by how many delays its answer comes later when each reply of Redis comes later by one. */
  readonly waits: number;
  /** Commands by name, per request. */
  readonly names: Readonly<Record<string, number>>;
}

/** A multiple of the distance between writes. */
const REQUESTS = 200;
const DELAYED_REQUESTS = 40;
const DELAY_MS = 10;

/** Sends a few requests one after the other, through the proxy before Redis that counts. */
export async function count(proxy: ProxyProcess, connection: HttpConnection, next: () => Exchange): Promise<Counted> {
  await proxy.ask({ kind: "reset", delayMs: 0 });
  const plain = await load([connection], limited(next, REQUESTS));
  const { commands, roundTrips } = await proxy.ask({ kind: "count" });
  await proxy.ask({ kind: "reset", delayMs: DELAY_MS });
  const delayed = await load([connection], limited(next, DELAYED_REQUESTS));
  await proxy.ask({ kind: "reset", delayMs: 0 });

  const laterMs = Math.min(...delayed.latenciesMs) - Math.min(...plain.latenciesMs);
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  return {
    commands: total(Object.values(commands)) / REQUESTS,
    roundTrips: roundTrips / REQUESTS,
    waits: Math.round(laterMs / DELAY_MS),
    names: Object.fromEntries(Object.entries(commands).map(([name, times]) => [name, times / REQUESTS])),
  };
}

/** The first `requests` of them. */
function limited(next: () => Exchange, requests: number): () => Exchange | null {
  let left = requests;
  return () => {
    left -= 1;
    return left < 0 ? null : next();
  };
}

/** Those that are started within `ms` from now on. */
export function within(next: () => Exchange, ms: number): () => Exchange | null {
  const until = performance.now() + ms;
  return () => (performance.now() < until ? next() : null);
}
