import { type FaultyProxy, type Redis, startFaultyProxy, startRedis } from "@clean-arch/test-servers";
import { onTestFinished } from "vitest";
import { silentLogger } from "../../log.js";
import { type Clock, sleep, systemPorts } from "../../ports.js";
import type { SessionStore } from "../../store/session-store.js";
import { hash } from "../../testing/session-store/world.js";
import { createRedisConnection } from "./connection.js";
import { Keys } from "./keys.js";
import { NearCache, type NearCacheOptions } from "./near-cache.js";
import { Scripts } from "./scripts.js";
import { RedisSessionStore, type RedisSessions } from "./session-store.js";
import { TouchHints } from "./touch-hints.js";
import { until } from "./until.test.support.js";

/** So long that what is seen was told, not waited for. */
export const LONG_MS = 600_000;

export interface NearWorld {
  readonly server: Redis;
  /** With a near cache; its reads go through `data`, what it is told comes through `told`. */
  readonly store: RedisSessions;
  readonly near: NearCache;
  readonly data: FaultyProxy;
  readonly told: FaultyProxy;
  /** Without a cache, on a connection of its own. */
  readonly peer: SessionStore;
}

export async function setUpNear(near: NearCacheOptions, clock: Clock = systemPorts.clock): Promise<NearWorld> {
  const server = await startRedis();
  onTestFinished(() => server.remove());
  const [data, told] = await Promise.all([
    startFaultyProxy({ to: server.port }),
    startFaultyProxy({ to: server.port }),
  ]);
  onTestFinished(async () => void (await Promise.all([data.close(), told.close()])));
  const [opened, peer] = [makeNear(data, told, near, clock), makePlain(server)];
  onTestFinished(() => opened.store.close());
  onTestFinished(() => peer.close());
  await Promise.all([opened.store.open(), peer.open()]);
  return { server, ...opened, data, told, peer };
}

interface Reached {
  readonly port: number;
}

const PREFIX = "near:";
const COMMAND_TIMEOUT_MS = 2_000;

export function makeNear(data: Reached, told: Reached, options: NearCacheOptions, clock: Clock = systemPorts.clock) {
  const at = ({ port }: Reached) => ({ url: `redis://127.0.0.1:${port}`, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const connection = createRedisConnection(at(data));
  const near = new NearCache({ ...options, connection, connectionOptions: at(told), clock, logger: silentLogger });
  return { near, store: makeStore(connection, near) };
}

function makePlain({ url }: Redis): RedisSessionStore {
  return makeStore(createRedisConnection({ url }));
}

function makeStore(connection: ReturnType<typeof createRedisConnection>, near?: NearCache): RedisSessionStore {
  return new RedisSessionStore(connection, {
    ...{
      keys: new Keys(PREFIX),
      scripts: new Scripts(),
      hints: new TouchHints(systemPorts.clock),
      logger: silentLogger,
    },
    ...(near && { near }),
  });
}

/** Loads until the near cache serves it. */
export async function warm(store: RedisSessions, id: string, token: string): Promise<void> {
  const hits = () => store.nearCacheCounts()?.hits ?? 0;
  await until(async () => {
    const before = hits();
    const loaded = await store.load(id, hash(token), { touch: true }).catch(() => undefined);
    return loaded !== undefined && hits() > before;
  });
}

/** Loads again and again until there is none, or no answer; gives when the last that was served had been asked for. */
export async function lastServed(store: SessionStore, id: string, token: string): Promise<number> {
  let servedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const askedAt = systemPorts.clock.monotonic();
    const loaded = await store.load(id, hash(token), { touch: false }).catch(() => undefined);
    if (loaded === undefined) return servedAt;
    servedAt = askedAt;
    await turn();
  }
}

/** Calls of each command since the server began. */
export async function commandCalls(server: Redis): Promise<ReadonlyMap<string, number>> {
  const lines = (await server.command("INFO", "commandstats")).split(/\r?\n/);
  const calls = lines.map((line) => /^cmdstat_([^:]+):calls=(\d+)/.exec(line));
  return new Map(calls.flatMap((found) => (found ? [[found[1] as string, Number(found[2])] as const] : [])));
}

/** What is waited for comes from outside. */
function turn(): Promise<void> {
  return sleep(systemPorts.clock, 1);
}

export async function clientIds(server: Redis, flag: string): Promise<string[]> {
  const clients = (await server.command("CLIENT", "LIST")).split(/\r?\n/);
  return clients.flatMap((client) => {
    const found = /^id=(\d+) .* flags=(\S+) /.exec(client);
    return found?.[2]?.includes(flag) ? [found[1] as string] : [];
  });
}
