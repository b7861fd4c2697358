import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { CALM, type Weather } from "./proxy-lane.js";
import { ProxyLink, type Swallow } from "./proxy-link.js";

export interface FaultyProxyOptions {
  /** Of the real server, on the loopback address. */
  readonly to: number;
  /** Where the proxy listens; default: any free port. */
  readonly port?: number;
  /** For jitter, a number in [0, 1). Default: no jitter beyond the latency. */
  readonly random?: () => number;
}

/**
 * A TCP proxy on the loopback address that does what networks do. One stands between one client and one server, so that a
 * pair of them can be cut off from each other alone. It knows nothing of what it carries.
 */
export interface FaultyProxy {
  readonly port: number;
  /** Open now. */
  readonly connections: number;
  /** Since the start. `swallowed`: replies that were lost after their request was carried out. */
  readonly counts: { readonly connections: number; readonly swallowed: number; readonly resets: number };
  /** Changes the weather of all connections, also of those that come; what is left out stays as it is. */
  set(weather: Partial<Weather>): void;
  /** Everything passes again at once; connections made silent stay so, and armed swallows are taken back. */
  calm(): void;
  /** The reply to the next request that matches is lost. Several may be armed. */
  swallow(swallow?: Swallow): void;
  /** Swallows that have not met their request yet. */
  readonly armed: number;
  /** Breaks all connections with RST; gives how many. */
  reset(): number;
  /** Present connections carry nothing any more and nobody is told (a machine that vanished); new ones work. Gives how many. */
  silence(): number;
  /** Another server from here on, as when an address moves: breaks all connections with RST, gives how many; new ones go to this port. */
  retarget(port: number): number;
  /** True: whoever connects is sent away with RST. */
  refuse(refusing: boolean): void;
  /** Resolves when the port is free and all connections are gone. */
  close(): Promise<void>;
}

export async function startFaultyProxy(options: FaultyProxyOptions): Promise<FaultyProxy> {
  const random = options.random ?? (() => 0);
  const links = new Set<ProxyLink>();
  const armed: Swallow[] = [];
  const counts = { connections: 0, swallowed: 0, resets: 0 };
  let weather: Weather = CALM;
  let refusing = false;
  let to = options.to;

  const disarm = (request: Buffer): Swallow | null => {
    const index = armed.findIndex((swallow) => swallow.request?.(request) ?? true);
    return index < 0 ? null : (armed.splice(index, 1)[0] ?? null);
  };
  const accept = (client: Socket): void => {
    if (refusing) return void client.resetAndDestroy();
    counts.connections += 1;
    const server = connect({ host: "127.0.0.1", port: to, allowHalfOpen: true });
    const link = new ProxyLink({
      ...{ client, server, random, disarm, weather: () => weather },
      onSwallowed: () => {
        counts.swallowed += 1;
      },
      onClosed: () => void links.delete(link),
    });
    links.add(link);
  };
  const listener = createServer({ allowHalfOpen: true }, accept);
  listener.listen(options.port ?? 0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("expected a port of the loopback address");

  const set = (change: Partial<Weather>): void => {
    weather = { ...weather, ...change };
    for (const link of [...links]) link.look();
  };
  const reset = (): number => {
    const broken = [...links];
    for (const link of broken) link.reset();
    counts.resets += broken.length;
    return broken.length;
  };
  return {
    port: address.port,
    counts,
    set,
    reset,
    get connections() {
      return links.size;
    },
    get armed() {
      return armed.length;
    },
    calm() {
      refusing = false;
      armed.length = 0;
      set(CALM);
    },
    swallow: (swallow = {}) => void armed.push(swallow),
    silence() {
      for (const link of links) link.silence();
      return links.size;
    },
    retarget(port) {
      to = port;
      return reset();
    },
    refuse(on) {
      refusing = on;
    },
    async close() {
      const closed = once(listener, "close");
      listener.close();
      for (const link of [...links]) link.reset();
      await closed;
    },
  };
}
