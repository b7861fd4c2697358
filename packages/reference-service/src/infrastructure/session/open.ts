import { RuntimeError, type SessionManager } from "@clean-arch/runtime";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";
import { redisError } from "../config/start-errors.js";

/** How long a Redis is waited for that does not answer yet. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 500;

/** Opens the sessions. Throws a `ConfigError` when their Redis does not answer in time, or cannot be used. */
export async function openSessions(
  { sessionStorage: storage }: Pick<Settings, "sessionStorage">,
  sessions: Pick<SessionManager, "open">,
  logger: Logger,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  if (storage.kind !== "redis") return sessions.open();
  const since = performance.now();
  for (let tries = 1; ; tries += 1) {
    try {
      return await sessions.open();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() - since > patienceMs) throw redisError(error, storage.url);
      if (tries === 1) logger.warn({ reason: String(error) }, "Redis does not answer yet; waiting for it");
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === "store-unavailable";
}
