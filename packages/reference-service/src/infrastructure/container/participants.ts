import {
  httpParticipant,
  localParticipant,
  type Ledger,
  type Participant,
  RuntimeError,
  simulatedParticipant,
} from "@clean-arch/runtime";
import type { HandlerDeps, ServiceHandlers } from "../../application/handlers/handler.js";
import type { ResolvedService, Settings } from "../config/settings.js";

/** A service that this process performs, unless the environment gives it a url. */
export function localService(settings: Settings, name: string, handlers: ServiceHandlers, deps: HandlerDeps): Participant {
  const service = serviceOf(settings, name);
  if (service.url !== null) return httpService(service, service.url);
  return localParticipant({
    name,
    handlers: mapValues(handlers.actions, (handler) => (call) => handler(call, deps)),
    compensations: mapValues(handlers.compensations, (handler) => (call) => handler(call, deps)),
    ...timeout(service),
  });
}

/** A service with a url; outside production one without is simulated, and the ledger keeps what it did. */
export function remoteService(settings: Settings, name: string, ledger: Ledger | null): Participant {
  const service = serviceOf(settings, name);
  if (service.url !== null) return httpService(service, service.url);
  if (ledger === null) {
    throw new RuntimeError("config-invalid", `expected a url of ${name}, got none; set services.${name}.url`, { key: `services.${name}.url` });
  }
  return simulatedParticipant({ name, ledger, ...timeout(service) });
}

function httpService(service: ResolvedService, baseUrl: string): Participant {
  return httpParticipant({ name: service.name, baseUrl, headers: service.headers, ...timeout(service) });
}

const timeout = ({ timeoutMs }: ResolvedService) => (timeoutMs === undefined ? {} : { timeoutMs });

function serviceOf({ services }: Settings, name: string): ResolvedService {
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new RuntimeError("config-invalid", `expected a service ${name} in project.generated.ts, got none`);
  return service;
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
