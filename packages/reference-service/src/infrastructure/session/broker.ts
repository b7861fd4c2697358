import { type Broker, DEFAULT_EVENT_RETENTION } from "@clean-arch/runtime";
import { createNatsBroker } from "@clean-arch/runtime/nats";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";

/**
 * What carries events between processes, where NATS_URL says that there is a NATS with JetStream; null: there is none.
 * A service has a stream of its own, named as it. That of another one is made as that one makes it, whoever is first: so
 * nothing is missed that it publishes later.
 */
export function createBroker({ app, name }: Settings, logger: Logger, service: string = name): Broker | null {
  const { url } = app.nats;
  if (!url) return null;
  const { protocol, host, username, password } = new URL(url);
  return createNatsBroker({
    servers: host,
    ...(username !== "" && { user: decodeURIComponent(username), password: decodeURIComponent(password) }),
    ...(protocol === "tls:" && { tls: {} }),
    ...{ stream: service, prefix: service, name, logger },
    // An event that lay there longer would come again after its id has been forgotten.
    maxAgeMs: DEFAULT_EVENT_RETENTION.brokerMaxAgeMs,
  });
}
