/**
 * The container builds the service in order and disposes of it in reverse, also when a start fails half way. What the
 * config decides is wired in container.generated.ts; your own choices go into `bindings`.
 */
import type { FastifyInstance } from "fastify";
import type { Application } from "../../application/application.generated.js";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";
import { isUnavailable } from "../persistence/postgres/driver-errors.js";
import { type Bindings, wire } from "./container.generated.js";
import { createScope } from "./scope.js";

/** Replaces what would be built by default: a participant by service name, for example. */
const bindings: Bindings = {};

export interface Container {
  readonly application: Application;
  readonly server: FastifyInstance;
  /** Stops accepting requests, lets the current ones finish, then closes managers and stores. Twice is once. */
  close(): Promise<void>;
}

/** A database that goes while the service starts is waited for anew, so often at most. */
const STARTS = 3;
const LOCK_TIMEOUT = "55P03";

export async function buildContainer(
  settings: Settings,
  logger: Logger,
  replaced: Bindings = bindings,
): Promise<Container> {
  for (let starts = 1; ; starts += 1) {
    const scope = createScope();
    try {
      const { application, server } = await wire({ settings, logger, scope, bindings: replaced });
      return { application, server, close: () => scope.close() };
    } catch (error) {
      await scope.close().catch((cause) => logger.error({ err: cause }, "could not undo a failed start"));
      if (starts === STARTS || !isOutage(error)) throw error;
      logger.warn({ reason: String(error) }, "the database went while the service started; starting anew");
    }
  }
}

/** As the driver says it, or the runtime; or the cause of what the migrations say. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  // Another instance migrates, and has been waited for long enough.
  if (code === LOCK_TIMEOUT) return false;
  return isUnavailable(error) || code === "store-unavailable" || isOutage(error.cause);
}
