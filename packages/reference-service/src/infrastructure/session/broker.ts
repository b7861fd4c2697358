import type { Broker } from "@clean-arch/runtime";
import { createNatsBroker } from "@clean-arch/runtime/nats";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";

/**
 * Carries the events of choreographed sagas to all instances, where NATS_URL says so. Without it the runtime's own carries
 * them, through the service's database.
 */
export function createBroker({ app, name }: Settings, logger: Logger): { readonly broker?: Broker } {
  const { url } = app.nats;
  if (app.session.saga.orchestration !== "choreography" || !url) return {};
  const { protocol, host, username, password } = new URL(url);
  const broker = createNatsBroker({
    servers: host,
    ...(username !== "" && { user: decodeURIComponent(username), password: decodeURIComponent(password) }),
    ...(protocol === "tls:" && { tls: {} }),
    // A service has a stream of its own.
    ...{ stream: name, prefix: name, name, logger },
  });
  return { broker };
}
