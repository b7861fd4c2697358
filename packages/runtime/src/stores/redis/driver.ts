import { RuntimeError } from "../../errors.js";

export interface RedisConnectionOptions {
  /** redis:// or rediss://user:password@host:port/database; several, of one cluster's nodes, for Redis Cluster. */
  readonly url: string | readonly string[];
  /** Until a call is given up as `store-unavailable`, ms. Its effect is then unknown. Default 2,000. */
  readonly commandTimeoutMs?: number;
  /** For a new connection, ms. Default 2,000. */
  readonly connectTimeoutMs?: number;
}

const COMMAND_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

export function loadDriver() {
  return import("ioredis").catch((cause: unknown) => {
    const message = 'expected the package "ioredis" to be installed, it is not; run npm install ioredis';
    throw new RuntimeError("config-invalid", message, { package: "ioredis" }, { cause });
  });
}

export function settingsOf({ commandTimeoutMs = COMMAND_TIMEOUT_MS, connectTimeoutMs }: RedisConnectionOptions) {
  return {
    connectTimeout: connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    // A server that says nothing for so long while commands wait is gone, whatever TCP believes.
    socketTimeout: 2 * commandTimeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // After a failover the address may lead to what is a replica now.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  };
}

export function backoff(times: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (times - 1), LAST_RETRY_MS);
}
