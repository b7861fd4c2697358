import { localParticipant, type Participant } from "@clean-arch/runtime";
import type { HandlerDeps, ServiceHandlers } from "../../application/handlers/handler.js";
import type { Settings } from "../config/settings.js";
import { httpService, serviceOf } from "./remote-service.js";

/** A service that this process performs, unless its settings give it a url. */
export function localService(
  settings: Settings,
  name: string,
  { actions, compensations }: ServiceHandlers,
  deps: HandlerDeps,
): Participant {
  const service = serviceOf(settings, name);
  if (service.url !== null) return httpService(service, service.url, deps.logger);
  return localParticipant({
    name,
    handlers: mapValues(actions, (handler) => (call) => handler(call, deps)),
    compensations: mapValues(compensations, (handler) => (call) => handler(call, deps)),
  });
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
