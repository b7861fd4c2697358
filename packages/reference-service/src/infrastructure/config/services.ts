import type { ConfigIssue } from "./config-error.js";
import type { Environment } from "./read.js";
import type { AppSettings } from "./schema.js";
import type { ResolvedService } from "./settings.js";

/**
 * A url, from the file or the environment, makes a service's transport http, or nats by its protocol; without one, services on NATS are behind
 * the server of `nats.url`. Header values take in the environment.
 */
export function resolveServices(app: AppSettings, environment: Environment, issues: ConfigIssue[]): ResolvedService[] {
  return Object.entries(app.services).map(([name, { headers, ...service }]) => {
    const transport = service.url === null ? service.transport : transportOf(service.url);
    const url = service.url ?? (transport === "nats" ? app.nats.url : null);
    const isRemote = transport === "http" || transport === "nats";
    if (isRemote && url === null) {
      const or = transport === "nats" ? ", here or as nats.url" : "";
      const expected = `a url${or}: the transport is ${transport}`;
      issues.push({ source: "configs/app.yaml", key: `services.${name}.url`, expected, got: "nothing" });
    }
    return { name, transport, url, headers: isRemote ? resolveHeaders(name, headers, environment, issues) : {} };
  });
}

function transportOf(url: string): "http" | "nats" {
  return /^https?:/.test(url) ? "http" : "nats";
}

function resolveHeaders(
  service: string,
  headers: Readonly<Record<string, string>>,
  environment: Environment,
  issues: ConfigIssue[],
): Record<string, string> {
  const resolved = Object.entries(headers).map(([header, text]): [string, string] => {
    const value = text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_whole, name: string) => {
      const found = environment[name];
      if (found !== undefined && found !== "") return found;
      const key = `services.${service}.headers.${header}`;
      issues.push({ source: "environment", key, expected: `a value of the variable ${name}`, got: "nothing" });
      return "";
    });
    return [header, value];
  });
  return Object.fromEntries(resolved);
}
