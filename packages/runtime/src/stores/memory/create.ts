import { encodeCreate } from "../../store/run-codec.js";
import { type CreateResult, type CreateRun, mayRestart } from "../../store/run-store.js";
import { isActive } from "./leases.js";
import { put } from "./outbox.js";
import { journalRow, type MemoryWorld, runRow, type StoredRun } from "./world.js";

export function createRun(world: MemoryWorld, create: CreateRun, now: number): CreateResult {
  const { input, attributes, records } = encodeCreate(create);
  const known = world.runs.get(create.id);
  if (known) return sameRun(known, create);
  const scopedKey = create.key === null ? null : keyOf(create);
  const holder = scopedKey === null ? undefined : world.runs.get(world.keys.get(scopedKey) ?? "");
  if (holder && !(create.restart === true && mayRestart(holder.status)))
    return { kind: "existing", run: runRow(holder) };

  const { claim, restart: _, events = [], ...row } = create;
  const claimed = claim !== null && isActive(world, claim.worker, now);
  const run: StoredRun = {
    ...row,
    input,
    attributes,
    restartedFrom: holder?.id ?? row.restartedFrom,
    output: "null",
    status: claimed ? "running" : "pending",
    failureReason: null,
    rollbackStatus: "none",
    createdAt: now,
    updatedAt: now,
    endedAt: null,
    wakeAt: claimed ? null : now,
    owner: claimed ? claim.worker : null,
    fence: claimed ? 1 : 0,
    crashed: false,
    journal: claimed
      ? [{ seq: 1, fence: 1, appendId: claim.appendId, at: now, records: records ?? "[]", parked: false }]
      : [],
    inbox: new Map(),
    checkpoints: [],
  };
  world.runs.set(run.id, run);
  if (scopedKey !== null) world.keys.set(scopedKey, run.id);
  put(world.events, events, now);
  return { kind: "created", run: runRow(run), row: firstRow(run, create) };
}

/** The reply of the first call was lost and it was sent again, or somebody uses an id twice. */
function sameRun(run: StoredRun, create: CreateRun): CreateResult {
  const same =
    run.tenant === create.tenant &&
    run.definition === create.definition &&
    run.key === create.key &&
    run.inputHash === create.inputHash;
  if (!same) return { kind: "rejected", reason: `the run id ${create.id} is taken by another run` };
  return { kind: "created", run: runRow(run), row: firstRow(run, create) };
}

function firstRow(run: StoredRun, { claim }: CreateRun) {
  const row = run.journal[0];
  return row && row.appendId === claim?.appendId ? journalRow(run.id, row) : null;
}

export function keyOf({ tenant, definition, key }: Pick<StoredRun, "tenant" | "definition" | "key">): string {
  return JSON.stringify([tenant, definition, key]);
}
