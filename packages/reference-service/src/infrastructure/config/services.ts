import type { ConfigIssue } from "./config-error.js";
import type { Environment } from "./read.js";
import type { AppSettings } from "./schema.js";
import type { ResolvedService } from "./settings.js";

/** A url, from the file or the environment, makes a service's transport http; header values take in the environment. */
export function resolveServices(app: AppSettings, environment: Environment, issues: ConfigIssue[]): ResolvedService[] {
  return Object.entries(app.services).map(([name, { url, headers, ...service }]) => {
    const transport = url === null ? service.transport : "http";
    if (transport === "http" && url === null) {
      const key = `services.${name}.url`;
      issues.push({ source: "configs/app.yaml", key, expected: "a url: the transport is http", got: "nothing" });
    }
    return {
      name,
      transport,
      url,
      headers: transport === "http" ? resolveHeaders(name, headers, environment, issues) : {},
    };
  });
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
