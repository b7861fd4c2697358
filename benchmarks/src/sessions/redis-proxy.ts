import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { CommandCounter } from "./command-counter.js";
import { ReplyDelay } from "./reply-delay.js";

/** Since the last reset. */
export interface ProxyCount {
  /** By name. */
  readonly commands: Readonly<Record<string, number>>;
  /**
   * How often something was asked after the last answer, on whichever connection. With one HTTP request at a time these are the round
   * trips that follow each other; commands sent together are one.
   */
  readonly roundTrips: number;
}

export interface RedisProxy {
  /** On the loopback address. */
  readonly port: number;
  readonly count: ProxyCount;
  /** Counts from zero; from now on replies come so much later, ms. */
  reset(delayMs: number): void;
  close(): Promise<void>;
}

/**
 * A TCP proxy before Redis: counts what clients send, and adds time to a round trip by holding back the replies. (The faulty proxy of
 * the tests holds back both ways, each by a timer of a millisecond at least: it cannot add just one.)
 */
export async function startRedisProxy(redisPort: number): Promise<RedisProxy> {
  const commands = new Map<string, number>();
  const delay = new ReplyDelay();
  const sockets = new Set<Socket>();
  let roundTrips = 0;
  let answered = true;

  const accept = (client: Socket): void => {
    const redis = connect({ host: "127.0.0.1", port: redisPort, noDelay: true });
    const counter = new CommandCounter((name) => commands.set(name, (commands.get(name) ?? 0) + 1));
    client.on("data", (chunk) => {
      delay.look();
      if (answered) roundTrips += 1;
      answered = false;
      counter.take(chunk);
      redis.write(chunk);
    });
    redis.on("data", (chunk) => {
      answered = true;
      delay.hold(() => void client.write(chunk));
    });
    const both = [client, redis];
    for (const socket of both) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        for (const other of both) other.destroy();
      });
    }
  };
  const server = createServer({ noDelay: true }, accept);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port of the loopback address");
  return {
    port: address.port,
    get count() {
      return { commands: Object.fromEntries(commands), roundTrips };
    },
    reset(delayMs) {
      delay.set(delayMs);
      commands.clear();
      roundTrips = 0;
      answered = true;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
