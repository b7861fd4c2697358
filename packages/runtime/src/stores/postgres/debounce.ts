import { RuntimeError } from "../../errors.js";
import type { CreateResult, CreateRun } from "../../store/run-store.js";
import type { Connections, Queryable } from "./connections.js";
import { sqlState } from "./driver-error.js";
import type { Prepared } from "./prepared-create.js";
import { selectRuns } from "./run-rows.js";

/** Between the look at the newest run of a key and the write somebody may begin or create one. */
const MAX_TRIES = 20;

/**
 * Goes into the run that waits with its key, else becomes one. Each of both is one write, which says itself whether it may: a run that
 * is begun takes nothing in, and of two that wait with one key the index refuses the second.
 */
export async function createDebounced(
  connections: Connections,
  prepared: Prepared,
  debounce: NonNullable<CreateRun["debounce"]>,
  insert: (on: Queryable) => Promise<unknown>,
): Promise<CreateResult> {
  const { create } = prepared;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const joined = await join(connections.writer, prepared, debounce.key);
    if (joined === "again") continue;
    if (joined !== null) return resultOf(connections.writer, joined, "existing");
    try {
      await connections.transaction(async (on) => {
        await insert(on);
        await on.run("debounce-begin", [create.id, debounce.key, debounce.maxMs]);
      });
      return await resultOf(connections.writer, create.id, "created");
    } catch (error) {
      const state = sqlState(error) ?? "";
      if (state.startsWith("22") || state.startsWith("54"))
        return { kind: "rejected", reason: (error as Error).message };
      if (state !== "23505") throw error;
      // Its first sending, which an operator's wish has since taken out of the debouncing.
      const [same] = await selectRuns(connections.writer, "where id = $1::uuid", [create.id]);
      if (same !== undefined) return { kind: "existing", run: same };
    }
  }
  const message = `expected the debounce key ${JSON.stringify(debounce.key)} to come to rest, it did not`;
  throw new RuntimeError("store-unavailable", message);
}

/** The run that the create went into, now or before; null: none waits; `again`: it was begun meanwhile. */
async function join(on: Queryable, { create, encoded }: Prepared, key: string): Promise<string | "again" | null> {
  const [newest] = await on.run("debounce-newest", [create.tenant, create.definition, key, create.id]);
  if (newest === undefined) return null;
  if (newest.joined === true) return String(newest.id);
  if (newest.pending !== true) return null;
  const rows = await on.run("debounce-join", [
    ...[newest.id, create.id, create.version, encoded.input, create.inputHash, create.businessKey, encoded.attributes],
    ...[create.sessionId, create.queue, create.partitionKey, create.priority, create.limited === true],
    create.delayMs ?? 0,
  ]);
  return rows.length > 0 ? String(newest.id) : "again";
}

async function resultOf(on: Queryable, id: string, kind: "created" | "existing"): Promise<CreateResult> {
  const [run] = await selectRuns(on, "where id = $1::uuid", [id]);
  if (run === undefined) throw new RuntimeError("store-unavailable", `expected run ${id}, it was deleted meanwhile`);
  return kind === "created" ? { kind, run, row: null } : { kind, run };
}
