import type { HttpSettings } from "../../interfaces/http/http-settings.js";
import type { Settings } from "../config/settings.js";

export function httpSettings(settings: Settings): HttpSettings {
  const { app } = settings;
  return {
    name: settings.name,
    version: settings.version,
    description: settings.description,
    production: settings.production,
    bodyLimitBytes: app.http.body_limit,
    trustedProxies: app.http.trust_proxy,
    auth: settings.auth,
    operatorToken: settings.operatorToken,
    cookie: settings.cookie,
    sessionLifetimeMs: app.session.context.absolute_ttl,
    checkpoints: app.session.checkpoint.enabled,
    choreographed: app.session.saga.orchestration === "choreography",
    metrics: app.observability.metrics,
  };
}
