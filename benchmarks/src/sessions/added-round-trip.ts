import { once } from "node:events";
import { connect } from "node:net";
import { startRedis } from "../servers/redis.js";
import { quantile } from "../statistics.js";
import { openProxy } from "./proxy-process.js";

const PINGS = 300;

/** What the proxy really adds to a round trip, ms, when it is asked to add `delayMs` and the round trip is alone. */
export async function addedRoundTrip(delayMs: number, folder: string): Promise<number> {
  const redis = await startRedis(folder);
  try {
    const { proxy, port } = await openProxy(redis.port, folder);
    try {
      const direct = await pingMs(redis.port);
      await proxy.ask({ kind: "reset", delayMs });
      return Number(((await pingMs(port)) - direct).toFixed(2));
    } finally {
      await proxy.close();
    }
  } finally {
    await redis.stop();
  }
}

/** The middle of a few hundred, one after the other. */
async function pingMs(port: number): Promise<number> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  const times: number[] = [];
  for (let n = 0; n < PINGS; n += 1) {
    const start = performance.now();
    socket.write("*1\r\n$4\r\nPING\r\n");
    await once(socket, "data");
    times.push(performance.now() - start);
  }
  socket.destroy();
  return quantile(
    times.sort((a, b) => a - b),
    0.5,
  );
}
