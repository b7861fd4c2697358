import { type BrokerCalls, createBrokerCalls } from "@clean-arch/runtime";
import { CALLS_STREAM, createNatsBroker } from "@clean-arch/runtime/nats";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";
import { natsServer } from "../session/nats-server.js";

/** Calls to services behind NATS: a connection to each server, made by the first call that goes there. */
export interface NatsCalls {
  to(url: string): BrokerCalls;
  close(): Promise<void>;
}

export function createNatsCalls({ name }: Settings, logger: Logger): NatsCalls {
  const byUrl = new Map<string, BrokerCalls>();
  return {
    to(url) {
      const known = byUrl.get(url);
      if (known !== undefined) return known;
      const broker = createNatsBroker({ ...natsServer(url), ...CALLS_STREAM, name, logger });
      const calls = createBrokerCalls({ broker, source: name, logger });
      byUrl.set(url, calls);
      return calls;
    },
    close: async () => void (await Promise.all([...byUrl.values()].map((calls) => calls.close()))),
  };
}
