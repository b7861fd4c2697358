import type { NodeConnectionOptions } from "@nats-io/transport-node";
import type { Clock, Random } from "../../ports.js";

const RECONNECT_MS = 250;

type Pace = Required<Pick<NodeConnectionOptions, "reconnectDelayHandler" | "reconnectToServer">>;

/**
 * When a server is tried again. The driver would count from its last attempt by the wall clock, and when that is set back by an hour it would
 * try nothing for an hour: so it never waits by itself, and is told before each attempt how long to wait.
 */
export function reconnectPace({ clock, random }: { readonly clock: Clock; readonly random: Random }): Pace {
  const triedAt = new Map<string, number>();
  return {
    reconnectDelayHandler: () => Number.NEGATIVE_INFINITY,
    reconnectToServer: ([server]) => {
      if (server === undefined) return null;
      const now = clock.monotonic();
      const last = triedAt.get(server.listen) ?? Number.NEGATIVE_INFINITY;
      const delay = Math.max(0, last + RECONNECT_MS * (1 + random.float()) - now);
      triedAt.set(server.listen, now + delay);
      return { server, delay };
    },
  };
}
