/**
 * The process: reads the configuration, builds the service, listens; on SIGTERM or SIGINT it stops accepting, lets what is
 * under way finish and closes what it opened. A second signal, or 30 s, ends it at once with exit code 1.
 */
import { fileURLToPath } from "node:url";
import { ConfigError } from "./infrastructure/config/config-error.js";
import { loadSettings } from "./infrastructure/config/load.js";
import { listenError } from "./infrastructure/config/start-errors.js";
import { buildContainer } from "./infrastructure/container/container.js";
import { createLogger } from "./infrastructure/logging/logger.js";

const SHUTDOWN_MS = 30_000;

async function main(): Promise<void> {
  // dist/main.js and src/main.ts both lie one folder below the project.
  const settings = loadSettings(fileURLToPath(new URL("..", import.meta.url)));
  const logger = createLogger(settings.name, settings.app.observability.log_level);
  const container = await buildContainer(settings, logger);

  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      logger.warn({ signal }, "second signal: exiting at once");
      process.exit(1);
    }
    stopping = true;
    logger.info({ signal }, "stopping");
    const forced = setTimeout(() => {
      logger.error({ after_ms: SHUTDOWN_MS }, "could not stop in time: exiting");
      process.exit(1);
    }, SHUTDOWN_MS);
    container.close().then(
      () => {
        // Stays armed, without keeping the process: something that was not closed may do so.
        forced.unref();
        logger.info({}, "stopped");
        process.exitCode = 0;
      },
      (error) => {
        logger.error({ err: error }, "stopped with errors");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  try {
    await container.server.listen({ port: settings.port, host: settings.host });
  } catch (error) {
    await container.close();
    throw listenError(error, settings);
  }
  logger.info({ addresses: container.server.addresses() }, "listening");
  if (settings.operatorTokenIsNew) {
    // Once, and not through the logger, whose lines are kept and shipped.
    process.stdout.write(
      `operator token for this start (set OPERATOR_TOKEN to choose one): ${settings.operatorToken}\n`,
    );
  }
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`the service could not start: ${explain(error)}\n`);
  process.exitCode = 1;
});

/** An error of ours says what to do; of any other the stack is worth more. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? `${code}: ${error.message}` : (error.stack ?? error.message);
}
