import { isDeepStrictEqual } from "node:util";
import { mayHaveUsedContext, restoreContext } from "../engine/context.js";
import { goodCheckpoint, isOfJournal } from "../engine/good-checkpoint.js";
import { isObject, type JsonObject } from "../json.js";
import type { Logger } from "../log.js";
import type { ContextSessions, LoadedContext } from "../store/context-sessions.js";
import type { Checkpoint, ClaimedRun } from "../store/run-store.js";

/** A run's context as whoever takes the run over begins with it. */
export interface RestoredContext {
  readonly context: JsonObject;
  /** There is a hot copy, or there may be, or there ought to be: it follows the journal from here on, and is dropped with the run. */
  readonly isHot: boolean;
  /** Of the hot copy; null: none was seen. */
  readonly revision: number | null;
  /** It holds what only the hot copy held: no row and no snapshot has it yet. */
  readonly isDirty: boolean;
}

/** Of a run that nobody has driven yet. */
export const NO_CONTEXT: RestoredContext = { context: {}, isHot: false, revision: null, isDirty: false };

export interface Restoring {
  /** Null: no hot copies are kept. */
  readonly contexts: ContextSessions | null;
  /** The instance that takes the run over, and its context with it. */
  readonly owner: string;
  readonly logger: Logger;
  /** All that the store keeps of the run, newest first. */
  readonly checkpoints: (run: string) => Promise<readonly Checkpoint[]>;
}

/**
 * The hot copy if it stands where the journal stood before this claim, else journal and snapshot. Costs no call of the session
 * store when the journal shows that there is no context. Never throws: a store that does not answer has nothing that is needed.
 */
export async function restoredContext(claimed: ClaimedRun, restoring: Restoring): Promise<RestoredContext> {
  const { run, rows } = claimed;
  const checkpoint = await lastGood(claimed, restoring);
  const last = rows.at(-1);
  const before = last?.records.some((record) => record.kind === "claimed") ? last.seq - 1 : (last?.seq ?? 0);
  const context = restoreContext(rows, checkpoint);
  const durable = { context, isHot: Object.keys(context).length > 0, revision: null, isDirty: false };
  if (before === 0 || restoring.contexts === null || !mayHaveUsedContext(rows, checkpoint)) return durable;
  let hot: LoadedContext | undefined;
  try {
    hot = await restoring.contexts.load(run.id, restoring.owner);
  } catch (error) {
    restoring.logger.warn(
      { run: run.id, error: String(error) },
      "the hot copy of the run's context could not be read; journal and snapshots are used",
    );
    return { ...durable, isHot: true };
  }
  if (hot === undefined) return durable;
  const { revision, saved } = hot;
  if (saved?.stamp.seq !== before || !isObject(saved.context)) return { ...durable, isHot: true, revision };
  const isDirty = !isDeepStrictEqual(saved.context, context);
  return { context: saved.context, isHot: true, revision, isDirty };
}

/** The newest snapshot, if the journal knows of it; else the newest of which it does. */
async function lastGood(
  { run, rows, checkpoint }: ClaimedRun,
  { checkpoints, logger }: Restoring,
): Promise<Checkpoint | null> {
  if (checkpoint === null || isOfJournal(rows, checkpoint)) return checkpoint;
  const { n, seq, fence } = checkpoint;
  logger.error(
    { run: run.id, n, seq, fence },
    "the journal does not know of the newest checkpoint; an older one is used",
  );
  try {
    return goodCheckpoint(rows, await checkpoints(run.id));
  } catch (error) {
    logger.warn({ run: run.id, error: String(error) }, "no older checkpoint could be read; the journal alone is used");
    return null;
  }
}
