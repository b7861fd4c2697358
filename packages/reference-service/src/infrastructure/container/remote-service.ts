import {
  httpParticipant,
  type Ledger,
  type Participant,
  RuntimeError,
  simulatedParticipant,
} from "@clean-arch/runtime";
import type { Logger } from "../../application/ports/logger.js";
import type { ResolvedService, Settings } from "../config/settings.js";

/** A service with a url; outside production one without is simulated, and the ledger keeps what it did. */
export function remoteService(settings: Settings, name: string, ledger: Ledger | null, logger: Logger): Participant {
  const service = serviceOf(settings, name);
  if (service.url !== null) return httpService(service, service.url, logger);
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
