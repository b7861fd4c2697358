import { silentLogger } from "../../log.js";
import { createRedisConnection } from "./connection.js";
import { Keys } from "./keys.js";
import { NearCache } from "./near-cache.js";
import { Scripts } from "./scripts.js";
import { RedisSessionStore } from "./session-store.js";
import { createRedisTestClock, type Evaluating } from "./test-clock.test.support.js";
import { TouchHints } from "./touch-hints.js";

let opened = 0;

/** Two open stores over the same sessions, of a prefix of their own, whose clock is moved by `advance`. */
export async function openTimedSessions(url: string | readonly string[], servers: readonly Evaluating[]) {
  const { make, ...timed } = timedSessions(url, servers);
  return openBoth(make(), make(), timed);
}

/**
 * The same with near caches, which are always current. What one store changes, the other sees a moment later; the contract's tests
 * are of stores that see it at once. So here a call ends when both caches know what it changed, and have the session that it
 * was about: what a test reads next comes from a cache.
 */
export async function openTimedNearSessions(
  url: string,
  servers: readonly Evaluating[],
  onHits: (hits: number) => void,
) {
  const { make, advance, ...timed } = timedSessions(url, servers);
  const caches: NearCache[] = [];
  const stores: RedisSessionStore[] = [];
  const catchUp = () => Promise.all(caches.map((cache) => cache.catchUp()));
  const warm = async (id: string): Promise<void> => {
    await catchUp();
    await Promise.allSettled(stores.map((store) => store.loadById(id)));
  };
  const makeNear = () => {
    const connectionOptions = { url };
    const connection = timed.timed(createRedisConnection(connectionOptions));
    const near = new NearCache({
      ...{ connection, connectionOptions, clock: timed.clock, logger: silentLogger, staleMs: Number.MAX_SAFE_INTEGER },
    });
    caches.push(near);
    const store = make(connection, near);
    stores.push(store);
    return afterEachCall(store, (about) => (about === undefined ? catchUp() : warm(about)));
  };
  const both = await openBoth(makeNear(), makeNear(), {
    ...timed,
    async advance(ms: number) {
      await advance(ms);
      await catchUp();
    },
  });
  return {
    ...both,
    async close() {
      for (const cache of caches) onHits(cache.counts().hits);
      await both.close();
    },
  };
}

function timedSessions(url: string | readonly string[], servers: readonly Evaluating[]) {
  opened += 1;
  const prefix = `test-${opened}:`;
  const { clock, script, timed, advance } = createRedisTestClock(prefix, servers);
  const make = (connection = timed(createRedisConnection({ url })), near?: NearCache): RedisSessionStore =>
    new RedisSessionStore(connection, {
      ...{ keys: new Keys(prefix), scripts: new Scripts(script), hints: new TouchHints(clock) },
      logger: silentLogger,
      ...(near && { near }),
    });
  return { make, prefix, clock, timed, advance };
}

async function openBoth<Timed extends object>(store: RedisSessionStore, peer: RedisSessionStore, timed: Timed) {
  await store.open();
  await peer.open();
  const close = async (): Promise<void> => {
    await store.close();
    await peer.close();
  };
  return {
    ...timed,
    ...{ store, peer, close },
    async reopen() {
      await close();
      await store.open();
      return store;
    },
  };
}

const OF_ONE = new Set<string | symbol>(["create", "load", "loadById", "commit", "rotate", "revoke"]);

function idIn(first: unknown): string {
  return typeof first === "string" ? first : (first as { readonly id: string }).id;
}

function afterEachCall(store: RedisSessionStore, act: (id: string | undefined) => Promise<unknown>): RedisSessionStore {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]): Promise<unknown> => {
        const answer: unknown = await member.apply(target, args);
        if (name !== "close") await act(OF_ONE.has(name) ? idIn(args[0]) : undefined);
        return answer;
      };
    },
  });
}
