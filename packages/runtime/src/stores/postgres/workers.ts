import type { RenewRequest, RenewResult, WorkerRow } from "../../store/run-store.js";
import type { Connections } from "./connections.js";
import { freeChunks } from "./free-chunks.js";
import { notify } from "./listener.js";
import { inboxEntry, selectClaimed } from "./run-rows.js";

/**
 * Leases, by the server's clock only. A worker is active while it is not dead and its lease has not expired; an expired one
 * that nobody declared dead may renew. At a takeover the old worker is declared dead first, then its runs become due.
 * `mayBury`: false while the store's silence may be why leases look expired.
 */
export async function renew(connections: Connections, request: RenewRequest, mayBury: boolean): Promise<RenewResult> {
  const { worker, label, leaseMs, runs } = request;
  const [renewed] = await connections.writer.run("renew", [worker, label, leaseMs]);
  if (renewed === undefined) return { kind: "dead" };
  if (mayBury) await connections.writer.run("bury", [worker]);
  // Also those that a dead worker's last writes claimed after its burial.
  await freeRuns(connections);
  await connections.writer.run("forget-workers", []);

  const owned = (await connections.writer.run("owned", [worker])).map((row) => String(row.id));
  const believed = new Set(runs);
  const inStore = new Set(owned);
  const unknown = owned.filter((id) => !believed.has(id));
  const adopted = (await selectClaimed(connections.writer, unknown)).filter(({ run }) => run.owner === worker);
  const inbox = (await connections.writer.run("inbox-of-owner", [worker])).map(inboxEntry);
  return {
    kind: "active",
    now: Number(renewed.now),
    adopted,
    lost: runs.filter((id) => !inStore.has(id)),
    inbox: inbox.filter(({ run }) => believed.has(run)),
  };
}

/** What a claim does first: the runs of those whose lease ran out are due. */
export async function takeOver(connections: Connections, worker: string): Promise<void> {
  const dead = await connections.writer.run("bury", [worker]);
  if (dead.length > 0) await freeRuns(connections);
}

export async function retire(connections: Connections, worker: string): Promise<void> {
  const retired = await connections.writer.run("retire", [worker]);
  if (retired.length > 0) await freeRuns(connections);
}

async function freeRuns(connections: Connections): Promise<void> {
  const freed = await connections.writer.run("free", []);
  if (freed.length > 0) await notify(connections.writer, ["due"]);
  await freeChunks(connections);
}

export async function listWorkers(connections: Connections): Promise<WorkerRow[]> {
  return (await connections.reader.run("workers", [])) as unknown as WorkerRow[];
}
