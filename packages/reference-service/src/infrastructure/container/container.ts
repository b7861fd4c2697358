/**
 * The container builds the service in order and disposes of it in reverse, also when a start fails half way. What the
 * config decides is wired in container.generated.ts; your own choices go into `bindings`.
 */
import type { FastifyInstance } from "fastify";
import type { Application } from "../../application/application.generated.js";
import type { Logger } from "../../application/ports/logger.js";
import type { Settings } from "../config/settings.js";
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

export async function buildContainer(
  settings: Settings,
  logger: Logger,
  replaced: Bindings = bindings,
): Promise<Container> {
  const scope = createScope();
  try {
    const { application, server } = await wire({ settings, logger, scope, bindings: replaced });
    return { application, server, close: () => scope.close() };
  } catch (error) {
    await scope.close().catch((cause) => logger.error({ err: cause }, "could not undo a failed start"));
    throw error;
  }
}
