import type { NatsConnection } from "@nats-io/transport-node";
import { MAX_EVENT_BYTES } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import type { NatsSettings } from "./broker-options.js";
import { MAX_HEADER_BYTES } from "./envelope.js";

const FLOOR = [2, 9] as const;

/** Whether the server can do what the broker needs; what it does not promise is said to the log. Error: `broker-incompatible`. */
export function checkServer(nc: NatsConnection, { logger, replicas }: NatsSettings): void {
  const { info } = nc;
  if (info === undefined) return;
  const { version, jetstream, max_payload: maxPayload } = info;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < FLOOR[0] || (major === FLOOR[0] && minor < FLOOR[1]))
    throw incompatible(`a NATS server of version ${FLOOR.join(".")} or newer, got ${version}; update it`, { version });
  if (jetstream !== true)
    throw incompatible("a NATS server with JetStream, got one without; start it with --jetstream", {
      jetstream: false,
    });
  const needed = MAX_EVENT_BYTES + MAX_HEADER_BYTES;
  if (maxPayload < needed)
    logger.warn(
      { maxPayload, needed },
      "NATS takes smaller messages than events may be; raise max_payload, or larger events are rejected",
    );
  const lost =
    replicas === 1
      ? "a loss of power can cost acknowledged messages"
      : "a loss of power of most replicas at once can cost acknowledged messages";
  logger.warn(
    { replicas },
    `NATS acknowledges before it flushes to the disk, every 2 minutes by default: ${lost}; the outbox publishes them again`,
  );
}

function incompatible(what: string, details: Record<string, unknown>): RuntimeError {
  return new RuntimeError("broker-incompatible", `expected ${what}`, details);
}
