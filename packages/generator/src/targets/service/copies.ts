/** Files that do not depend on the model: there as they are in the reference service, or not there at all. */
import type { Features, Model } from "../../model.js";
import type { Template } from "../../template.js";
import type { TargetFile } from "../target-file.js";

type Condition = (features: Features) => boolean;

const always: Condition = () => true;
const withSagas: Condition = ({ sagas }) => sagas;

/** Every such file and the feature it belongs to. */
const COPIES: readonly (readonly [path: string, condition: Condition])[] = [
  ["src/application/errors.ts", always],
  ["src/application/handlers/handler.ts", ({ sagas, localHandlers }) => sagas && localHandlers],
  ["src/application/ports/health.ts", always],
  ["src/application/ports/ledger.ts", ({ sagas, simulated }) => sagas && simulated],
  ["src/application/ports/logger.ts", always],
  ["src/application/ports/runs.ts", withSagas],
  ["src/application/ports/sessions.ts", always],
  ["src/application/ports/telemetry.ts", always],
  ["src/infrastructure/config/config-error.ts", always],
  ["src/infrastructure/config/cookie.ts", always],
  ["src/infrastructure/config/database.ts", always],
  ["src/infrastructure/config/dot-env.ts", always],
  ["src/infrastructure/config/encryption-keys.ts", always],
  ["src/infrastructure/config/load.ts", always],
  ["src/infrastructure/config/operator-token.ts", always],
  ["src/infrastructure/config/production.ts", always],
  ["src/infrastructure/config/read.ts", always],
  ["src/infrastructure/config/schema.ts", always],
  ["src/infrastructure/config/services.ts", always],
  ["src/infrastructure/config/session-storage.ts", always],
  ["src/infrastructure/config/settings.ts", always],
  ["src/infrastructure/config/start-errors.ts", always],
  ["src/infrastructure/config/units.ts", always],
  ["src/infrastructure/container/container.ts", always],
  ["src/infrastructure/container/http-settings.ts", always],
  ["src/infrastructure/container/ledger.ts", ({ sagas, simulated }) => sagas && simulated],
  ["src/infrastructure/container/local-service.ts", ({ sagas, localHandlers }) => sagas && localHandlers],
  ["src/infrastructure/container/remote-service.ts", withSagas],
  ["src/infrastructure/container/scope.ts", always],
  ["src/infrastructure/health/runs-check.ts", withSagas],
  ["src/infrastructure/logging/logger.ts", always],
  ["src/infrastructure/metrics/metrics.ts", always],
  ["src/infrastructure/metrics/run-metrics.ts", withSagas],
  ["src/infrastructure/session/audit.ts", always],
  ["src/infrastructure/session/config.ts", always],
  ["src/infrastructure/session/manager.ts", always],
  ["src/infrastructure/session/open.ts", always],
  ["src/infrastructure/session/broker.ts", withSagas],
  ["src/infrastructure/session/request-sessions.ts", always],
  ["src/infrastructure/session/run-store.ts", withSagas],
  ["src/interfaces/http/callers.ts", always],
  ["src/interfaces/http/connections.ts", always],
  ["src/interfaces/http/docs-page.ts", always],
  ["src/interfaces/http/docs.ts", always],
  ["src/interfaces/http/health-routes.ts", always],
  ["src/interfaces/http/http-context.ts", always],
  ["src/interfaces/http/http-settings.ts", always],
  ["src/interfaces/http/if-match.ts", always],
  ["src/interfaces/http/idempotency-key.ts", withSagas],
  ["src/interfaces/http/json-body.ts", always],
  ["src/interfaces/http/my-session-routes.ts", always],
  ["src/interfaces/http/not-found.ts", always],
  ["src/interfaces/http/operation-routes.ts", withSagas],
  ["src/interfaces/http/problem.ts", always],
  ["src/interfaces/http/origin.ts", always],
  ["src/interfaces/http/revoking-routes.ts", always],
  ["src/interfaces/http/run-access.ts", withSagas],
  ["src/interfaces/http/run-events.ts", withSagas],
  ["src/interfaces/http/run-routes.ts", withSagas],
  ["src/interfaces/http/run-view.ts", withSagas],
  ["src/interfaces/http/schemas.ts", always],
  ["src/interfaces/http/search-routes.ts", withSagas],
  ["src/interfaces/http/server.ts", always],
  ["src/interfaces/http/session-routes.ts", always],
  ["src/interfaces/http/session-view.ts", always],
  ["src/interfaces/http/signal-routes.ts", withSagas],
  ["src/interfaces/http/simulated-routes.ts", ({ sagas, simulated }) => sagas && simulated],
  ["src/interfaces/http/start-routes.ts", withSagas],
  ["src/interfaces/http/validation.ts", always],
  ["src/interfaces/http/verb-routes.ts", withSagas],
  ["src/interfaces/http/wait.ts", withSagas],
  ["src/main.ts", always],
  ["tests/architecture/layers.test.ts", always],
  ["tests/integration/entity-service.ts", ({ entities }) => entities],
  ["tests/integration/health.test.ts", always],
  ["tests/integration/http.test.ts", always],
  ["tests/integration/lifecycle.test.ts", withSagas],
  ["tests/integration/runs.test.ts", withSagas],
  ["tests/integration/service.ts", always],
  ["tests/integration/sessions.test.ts", always],
  ["tests/integration/test-database.ts", always],
  ["tests/integration/test-redis.ts", always],
  ["tests/unit/audit.test.ts", always],
  ["tests/unit/config.test.ts", always],
  ["tests/unit/remote-service.test.ts", withSagas],
  ["tests/unit/scope.test.ts", always],
  ["tests/unit/start-errors.test.ts", always],
  ["vitest.config.ts", always],
];

export function copiedFiles({ features }: Model, { files }: Template): TargetFile[] {
  return COPIES.filter(([, condition]) => condition(features)).map(([path]) => {
    const content = files.get(path);
    if (content === undefined) throw new Error(`the template lacks ${path}`);
    return { path, owner: "merged", content };
  });
}
