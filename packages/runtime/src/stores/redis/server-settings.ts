import { RuntimeError } from "../../errors.js";
import type { Logger } from "../../log.js";

/** What a server says of itself. A setting is null where it may not be asked, as some hosted ones have it. */
export interface ServerReport {
  /** The text of `INFO`. */
  readonly info: string;
  /** Of `CONFIG GET`. */
  readonly save: string | null;
  readonly appendfsync: string | null;
}

/** What a crash of a server costs of what was acknowledged; `append-only-file` where the policy may not be asked. */
export type Persistence = "none" | "unknown" | "snapshots" | "append-only-file" | "everysec" | "always";

export interface ServerSettings {
  readonly version: string;
  readonly persistence: Persistence;
  /** `noeviction`, or which keys are dropped when the memory is full. */
  readonly eviction: string;
  /** Bytes; 0: no bound. */
  readonly maxMemory: number;
  readonly replicas: number;
}

const OLDEST_MAJOR = 7;

/** Error: `store-incompatible` for a server older than 7.0. */
export function readServerSettings({ info, save, appendfsync }: ServerReport): ServerSettings {
  const facts = new Map(info.split(/\r?\n/).map((line) => line.split(":", 2) as [string, string | undefined]));
  const version = facts.get("redis_version") ?? "unknown";
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR)) {
    const message = `expected Redis 7.0 or newer, got ${version}; upgrade it, or use session.context.storage sqlite`;
    throw new RuntimeError("store-incompatible", message, { version });
  }
  const replicas = Number(facts.get("connected_slaves") ?? 0);
  const eviction = facts.get("maxmemory_policy") ?? "unknown";
  const persistence = facts.get("aof_enabled") === "1" ? appendOnly(appendfsync) : snapshots(save);
  return { version, persistence, eviction, maxMemory: Number(facts.get("maxmemory") ?? 0), replicas };
}

/** The process that answered `INFO server`: it has another name after each start. */
export function serverRunIn(info: string): string {
  const run = /^run_id:(\w+)/m.exec(info)?.[1];
  if (run !== undefined) return run;
  throw new RuntimeError("store-incompatible", "expected Redis to give its run_id in INFO server, got none");
}

function appendOnly(appendfsync: string | null): Persistence {
  return appendfsync === "everysec" || appendfsync === "always" ? appendfsync : "append-only-file";
}

function snapshots(save: string | null): Persistence {
  return save === null ? "unknown" : save === "" ? "none" : "snapshots";
}

const COSTS: Readonly<Record<Exclude<Persistence, "always">, string>> = {
  none: "Redis writes nothing to disk: when it restarts every session is gone and everybody is logged out; runs go on from their journals",
  unknown:
    "Redis has no append-only file and does not say whether it takes snapshots: a restart loses what no snapshot holds, of logouts too",
  snapshots:
    "Redis takes snapshots only: a crash loses what changed since the last one, of logouts too, so an ended session may live again until its deadline",
  "append-only-file":
    "Redis leaves the flushing of its append-only file to the system: a crash of the machine may lose half a minute, of logouts too",
  everysec:
    "Redis flushes its append-only file each second: a crash of the machine may lose that second, of logouts too; one of Redis alone, only what a slow disk kept it from writing",
};

/** What the settings mean for sessions, in sentences; those that a production service should not have are warnings. */
export function judgeServers(servers: readonly ServerSettings[], logger: Logger): void {
  const facts = { servers };
  for (const persistence of new Set(servers.map((server) => server.persistence))) {
    if (persistence === "always") logger.info(facts, "Redis flushes each change to disk before it answers");
    else if (persistence === "everysec") logger.info(facts, COSTS[persistence]);
    else logger.warn(facts, `${COSTS[persistence]}; set appendonly yes`);
  }
  if (servers.some(({ eviction, maxMemory }) => eviction !== "noeviction" && maxMemory > 0)) {
    const cost = "Redis drops keys when its memory is full, and sessions are among them: their owners are logged out";
    logger.warn(facts, `${cost}; set maxmemory-policy noeviction`);
  }
  if (servers.some(({ replicas }) => replicas > 0)) {
    const cost = "a failover to a replica may lose the last changes, of logouts too";
    logger.info(facts, `${cost}; min-replicas-to-write and min-replicas-max-lag bound how many`);
  }
}
