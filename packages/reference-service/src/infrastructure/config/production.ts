import type { ConfigIssue } from "./config-error.js";
import { operatorTokenIssues } from "./operator-token.js";
import type { AppSettings } from "./schema.js";
import type { ResolvedService } from "./settings.js";

/** What production must have written out. Stores are checked where they are chosen: database.ts, session-storage.ts. */
export function productionIssues(
  app: AppSettings,
  services: readonly ResolvedService[],
  operatorToken: string,
): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const missing = (key: string, expected: string): void => {
    const source = key === "OPERATOR_TOKEN" ? "environment" : "configs/app.yaml";
    issues.push({ source, key, expected, got: "nothing" });
  };
  if (operatorToken === "") {
    missing("OPERATOR_TOKEN", "a token of at least 16 characters in production");
  } else issues.push(...operatorTokenIssues(operatorToken));
  if (app.http.auth === null) missing("http.auth", "none, session or token, written out in production");
  for (const { name, transport } of services) {
    if (transport === "simulated") missing(`services.${name}.url`, "a url in production: nothing is simulated there");
  }
  return issues;
}
