import {
  brokerParticipant,
  httpParticipant,
  type Ledger,
  type Participant,
  RuntimeError,
  simulatedParticipant,
} from "@clean-arch/runtime";
import type { Logger } from "../../application/ports/logger.js";
import type { ResolvedService, Settings } from "../config/settings.js";
import type { NatsCalls } from "./nats-calls.js";

export interface RemoteDeps {
  readonly calls: NatsCalls;
  /** Absent where nothing is simulated, null in production. */
  readonly ledger?: Ledger | null;
  readonly logger: Logger;
}

/** A service with a url; outside production one without is simulated, and the ledger keeps what it did. */
export function remoteService(
  settings: Settings,
  name: string,
  { calls, ledger = null, logger }: RemoteDeps,
): Participant {
  const service = serviceOf(settings, name);
  const { transport, url, headers } = service;
  if (url !== null && transport === "nats") return brokerParticipant({ name, calls: calls.to(url), headers, logger });
  if (url !== null) return httpService(service, url, logger);
  if (ledger !== null) return simulatedParticipant({ name, ledger });
  const key = `services.${name}.url`;
  throw new RuntimeError("config-invalid", `expected a url of ${name}, got none; set ${key}`, { key });
}

/** The logger is told when the service's answers point at a wrong url, token or endpoint. */
export function httpService({ name, headers }: ResolvedService, baseUrl: string, logger: Logger): Participant {
  return httpParticipant({ name, baseUrl, headers, logger });
}

export function serviceOf({ services }: Settings, name: string): ResolvedService {
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined) {
    throw new RuntimeError("config-invalid", `expected a service ${name} in project.generated.ts, got none`);
  }
  return service;
}
