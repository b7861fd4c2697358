import { RuntimeError } from "../../errors.js";
import { type Logger, silentLogger } from "../../log.js";
import { type Clock, type Random, systemPorts } from "../../ports.js";

export interface NatsBrokerOptions {
  /** `nats://host:port`, or `host:port`; several, of one cluster. No user or password in it: those are options. */
  readonly servers: string | readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Seed of a user's nkey, `SU...`. */
  readonly nkeySeed?: string;
  /** Text of a `.creds` file: a user's JWT and seed. */
  readonly credentials?: string;
  /** PEM texts. An empty object demands TLS and trusts the system's authorities. Default: as the server wants it. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** What the server shows of this connection. Default `clean-arch`. */
  readonly name?: string;

  /** The stream: `A-Z a-z 0-9 _ -`. All that share one give the same settings; the last to open decides. Default `clean-arch`. */
  readonly stream?: string;
  /** Subjects are `<prefix>.<subject of the event>`; words joined by dots. Default `clean-arch`. */
  readonly prefix?: string;
  /** Servers of a cluster that store each message: 1, 3 or 5. Default 1, which a server's loss of power can cost. */
  readonly replicas?: 1 | 3 | 5;
  /** How long a message is kept, ms, handled or not. Default 7 days. */
  readonly maxAgeMs?: number;
  /** What the stream takes on disk at most, bytes; the oldest messages go, handled or not. Default: no limit but the server's. */
  readonly maxBytes?: number;
  /** How long an id is recognized when it is published again, ms. The server keeps the ids in memory. Default 120,000. */
  readonly duplicateWindowMs?: number;

  /** Until a request is given up as `broker-unavailable`, ms. Its effect is then unknown. Default 5,000. */
  readonly callTimeoutMs?: number;
  /** Between two pings; a connection on which two stay unanswered is given up, ms. Default 5,000. */
  readonly pingIntervalMs?: number;
  /** Between two looks at whether a group is still what it was, ms. Default 5,000. */
  readonly watchIntervalMs?: number;

  /** Default: silent. */
  readonly logger?: Logger;
  /** For beats, waits and looks. The driver's own deadlines follow the system's clock. */
  readonly clock?: Clock;
  readonly random?: Random;
}

/** With all defaults, checked. */
export interface NatsSettings extends NatsBrokerOptions {
  readonly servers: readonly string[];
  readonly name: string;
  readonly stream: string;
  readonly prefix: string;
  readonly replicas: 1 | 3 | 5;
  readonly maxAgeMs: number;
  readonly duplicateWindowMs: number;
  readonly callTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly watchIntervalMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

const DAY_MS = 86_400_000;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const PREFIX = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const MAX_PREFIX_LENGTH = 64;

/** Error: `config-invalid`. */
export function settingsOf(options: NatsBrokerOptions): NatsSettings {
  const settings = {
    ...{ name: "clean-arch", stream: "clean-arch", prefix: "clean-arch", replicas: 1 as const },
    ...{ maxAgeMs: 7 * DAY_MS, duplicateWindowMs: 120_000 },
    ...{ callTimeoutMs: 5_000, pingIntervalMs: 5_000, watchIntervalMs: 5_000 },
    ...{ logger: silentLogger, clock: systemPorts.clock, random: systemPorts.random },
    ...options,
    servers: typeof options.servers === "string" ? [options.servers] : [...options.servers],
  };
  const { servers, stream, prefix, replicas, maxBytes, maxAgeMs, duplicateWindowMs } = settings;
  if (servers.length === 0) refuse("servers", "one address or more", "none");
  // The address itself is not repeated: what stands before the @ may be a password.
  if (servers.some((server) => server.includes("@")))
    refuse("servers", "addresses without a user", "one with @; give user and password, or token, as options");
  if (!NAME.test(stream)) refuse("stream", "1 to 64 characters of A-Z, a-z, 0-9, _ and -", stream);
  if (!PREFIX.test(prefix) || prefix.length > MAX_PREFIX_LENGTH)
    refuse("prefix", `words joined by dots, at most ${MAX_PREFIX_LENGTH} characters`, prefix);
  if (![1, 3, 5].includes(replicas)) refuse("replicas", "1, 3 or 5", replicas);
  if (maxBytes !== undefined && !isAtLeast(maxBytes, 1)) refuse("maxBytes", "a whole number from 1 on", maxBytes);
  for (const name of ["callTimeoutMs", "pingIntervalMs", "watchIntervalMs"] as const)
    if (!isAtLeast(settings[name], 1)) refuse(name, "a whole number of ms from 1 on", settings[name]);
  // The server's own lower bound.
  if (!isAtLeast(duplicateWindowMs, 100))
    refuse("duplicateWindowMs", "a whole number of ms from 100 on", duplicateWindowMs);
  if (!isAtLeast(maxAgeMs, duplicateWindowMs))
    refuse("maxAgeMs", `a whole number of ms, at least duplicateWindowMs (${duplicateWindowMs})`, maxAgeMs);
  return settings;
}

function isAtLeast(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

function refuse(option: string, expected: string, got: string | number): never {
  const message = `expected the option ${option} of the NATS broker to be ${expected}, got ${got}`;
  throw new RuntimeError("config-invalid", message, { option });
}
