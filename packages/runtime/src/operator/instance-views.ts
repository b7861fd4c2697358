import type { Logger } from "../log.js";
import { type Clock, sleep } from "../ports.js";
import type { ContextSessions } from "../store/context-sessions.js";
import type { RunStore } from "../store/run-store.js";
import type { InstanceView } from "./views.js";

export interface InstanceSources {
  readonly store: Pick<RunStore, "workers" | "now">;
  /** Null: no hot copies of contexts are kept. */
  readonly contexts: ContextSessions | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long the session store is waited for: without it the other facts are shown. */
const PATIENCE_MS = 2_000;

/**
 * Instances as the run store knows them, with how many contexts each owns. An owner that the run store does not know (any more) is
 * not an instance, and not listed: nothing but a number would be known of it, and others adopt what it has. Throws
 * `store-unavailable` when the run store does not answer.
 */
export async function instanceViews(sources: InstanceSources): Promise<readonly InstanceView[]> {
  const [workers, now, contexts] = await Promise.all([
    sources.store.workers(),
    sources.store.now(),
    contextsByOwner(sources),
  ]);
  return workers.map(({ id, label, startedAt, renewedAt, expiresAt, dead, runs }) => ({
    ...{ id, label, startedAt, renewedAt, leaseExpiresAt: expiresAt, runs },
    alive: !dead && expiresAt > now,
    contexts: contexts && (contexts.get(id) ?? 0),
  }));
}

async function contextsByOwner({
  contexts,
  clock,
  logger,
}: InstanceSources): Promise<ReadonlyMap<string, number> | null> {
  if (contexts === null) return null;
  const answered = new AbortController();
  const asked = contexts.owners().catch((error: unknown) => {
    logger.warn({ error: String(error) }, "contexts could not be counted: the session store does not answer");
    return null;
  });
  const counted = await Promise.race([asked, sleep(clock, PATIENCE_MS, answered.signal).then(() => null)]);
  answered.abort();
  return counted;
}
