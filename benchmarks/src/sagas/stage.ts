import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { usageOf } from "../process-tree.js";
import type { DatabaseServer } from "../servers/postgres.js";
import { startRedis } from "../servers/redis.js";
import { startRestate } from "../servers/restate.js";
import { sqliteCommits } from "../servers/sqlite-commits.js";
import type { Contender } from "./contenders.js";
import type { Place } from "./protocol.js";

/** What a contender's server has done since it started. */
export interface ServerCount {
  /** Processor time; 0 where the contender is its own server. */
  readonly cpuMs: number;
  /** PostgreSQL: of its log. Else what the processes that keep the state sent to the disk. */
  readonly bytes: number;
  /** Transactions that wrote; null where they cannot be counted. */
  readonly commits: number | null;
}

/** A place that is empty, with the server that the contender needs, for one turn. */
export interface Stage {
  readonly place: Place;
  /** `pids`: the contender's own processes. */
  count(pids: readonly number[]): Promise<ServerCount>;
  stop(): Promise<void>;
}

/**
 * PostgreSQL runs through the whole bench and costs nothing while nobody asks it; each turn has a database of its own. Redis and
 * Restate are started for the turn, since Restate works also when it is idle.
 */
export async function setStage(
  { name, server }: Contender,
  folder: string,
  recording: string,
  database: DatabaseServer,
): Promise<Stage> {
  const place: Place = { folder, databaseUrl: "", redisPort: 0, ingressPort: 0, adminPort: 0, recording };
  switch (server) {
    case "postgres": {
      const own = name.replaceAll("-", "_");
      const databaseUrl = await database.fresh(own);
      return {
        place: { ...place, databaseUrl },
        count: async () => ({ cpuMs: usageOf(database.pid).cpuMs, ...(await database.count()) }),
        stop: () => database.drop(own),
      };
    }
    case "redis": {
      const { port, pid, stop } = await startRedis(folder);
      return { place: { ...place, redisPort: port }, count: () => Promise.resolve(processCount(pid)), stop };
    }
    case "restate": {
      const data = join(folder, "restate");
      mkdirSync(data);
      const { ingressPort, adminPort, pid, stop } = await startRestate(data);
      return { place: { ...place, ingressPort, adminPort }, count: () => Promise.resolve(processCount(pid)), stop };
    }
    case "sqlite":
      return {
        place,
        count: (pids) => {
          const bytes = pids.map((pid) => usageOf(pid).writtenBytes).reduce((sum, written) => sum + written, 0);
          return Promise.resolve({ cpuMs: 0, bytes, commits: sqliteCommits(join(folder, "runs.db")) });
        },
        stop: () => Promise.resolve(),
      };
  }
}

function processCount(pid: number): ServerCount {
  const { cpuMs, writtenBytes } = usageOf(pid);
  return { cpuMs, bytes: writtenBytes, commits: null };
}
