import type { EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { type EncodedAppend, encodeAppend } from "../../store/run-codec.js";
import type { Append, AppendResult, Signal } from "../../store/run-store.js";
import { bools, int4s, int8s, isUuid, texts, uuids } from "./binary-arrays.js";
import type { Connections, Queryable, Row } from "./connections.js";
import { sqlState } from "./driver-error.js";
import { charactersOf, eventColumns } from "./event-rows.js";
import { inPieces } from "./in-pieces.js";
import { lockRuns, sendSignals } from "./inbox.js";
import { notify } from "./listener.js";

interface Prepared {
  readonly append: Append;
  readonly encoded: EncodedAppend;
}

/** An element's place was taken, or it is not its run's next row: which one it was is found out one by one. */
const REFUSED = new Set(["23505", "23502"]);

/**
 * Writes a batch as one statement, all or nothing: as a rule every element fits, and one commit serves all. When one does
 * not (a run was taken over, a reply was lost and its batch comes again), nothing is written and each is sent alone.
 */
export async function append(connections: Connections, appends: readonly Append[]): Promise<AppendResult[]> {
  const results = new Array<AppendResult>(appends.length);
  const places: number[] = [];
  const batch: Prepared[] = [];
  for (const [index, element] of appends.entries()) {
    const prepared = prepare(element);
    if ("kind" in prepared) results[index] = prepared;
    else {
      places.push(index);
      batch.push(prepared);
    }
  }
  const written: AppendResult[] = [];
  for (const piece of inPieces(batch, sizeOf)) written.push(...(await appendPrepared(connections, piece)));
  for (const [n, index] of places.entries()) results[index] = written[n] ?? { kind: "lease-lost" };
  return results;
}

/** Within a transaction that writes more: its last statement. Null when the row is refused, and the transaction with it. */
export async function appendLast(on: Queryable, element: Append): Promise<AppendResult | null> {
  const prepared = prepare(element);
  if ("kind" in prepared) return prepared;
  try {
    return (await write(on, [prepared]))[0] ?? null;
  } catch (error) {
    if (REFUSED.has(sqlState(error) ?? "")) return null;
    throw error;
  }
}

function prepare(element: Append): Prepared | AppendResult {
  try {
    const encoded = encodeAppend(element);
    // No such run: an id that is no UUID was never created here.
    return isUuid(element.run) ? { append: element, encoded } : { kind: "lease-lost" };
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "input-invalid")
      return { kind: "rejected", reason: error.message };
    throw error;
  }
}

function sizeOf({ append, encoded }: Prepared): number {
  let characters = encoded.records.length + (encoded.context?.length ?? 0);
  for (const event of eventsOf({ append })) characters += charactersOf(event);
  return characters;
}

async function appendPrepared(connections: Connections, batch: readonly Prepared[]): Promise<AppendResult[]> {
  if (batch.length === 0) return [];
  // A row sees the one before it only when that was written by an earlier statement.
  if (new Set(batch.map(({ append }) => append.run)).size < batch.length) return oneByOne(connections, batch);
  try {
    return await writeBatch(connections, batch);
  } catch (error) {
    const code = sqlState(error);
    const [only] = batch;
    if (batch.length > 1 && isOfElement(code)) return oneByOne(connections, batch);
    if (only === undefined || !isOfElement(code)) throw error;
    if (REFUSED.has(code ?? "")) return [await known(connections, only)];
    return [{ kind: "rejected", reason: error instanceof Error ? error.message : String(error) }];
  }
}

/** The fault lies in an element: a refused row, or data that the database does not take (class 22, a row or index too large). */
function isOfElement(code: string | null): boolean {
  return code !== null && (REFUSED.has(code) || code.startsWith("22") || code.startsWith("54"));
}

async function oneByOne(connections: Connections, batch: readonly Prepared[]): Promise<AppendResult[]> {
  // Most of a batch that comes again is there already. Those not seen may yet be in doubt: writing them settles it.
  const found = await alreadyWritten(connections.writer, batch);
  const results: AppendResult[] = [];
  for (const [index, prepared] of batch.entries())
    results.push(found[index] ?? (await appendPrepared(connections, [prepared]))[0] ?? { kind: "lease-lost" });
  return results;
}

async function known(connections: Connections, prepared: Prepared): Promise<AppendResult> {
  const [found] = await alreadyWritten(connections.writer, [prepared]);
  return found ?? { kind: "lease-lost" };
}

async function alreadyWritten(
  on: Queryable,
  batch: readonly Prepared[],
): Promise<readonly (AppendResult | undefined)[]> {
  const places = [uuids(batch.map(({ append }) => append.run)), int4s(batch.map(({ append }) => append.seq))];
  const rows = new Map((await on.run("append-known", places)).map((row) => [`${row.run}/${row.seq}`, row]));
  return batch.map(({ append: { run, seq, appendId, next } }) => {
    const row = rows.get(`${run}/${seq}`);
    if (row?.append_id !== appendId) return undefined;
    return { kind: "appended", at: Number(row.at), parked: next.kind === "park" && row.parked === true };
  });
}

async function writeBatch(connections: Connections, batch: readonly Prepared[]): Promise<AppendResult[]> {
  if (batch.every((prepared) => signalsOf(prepared).length === 0)) return write(connections.writer, batch);
  return connections.transaction((on) => write(on, batch));
}

/** One statement, by what the batch needs; and the messages, for which it must be in a transaction. */
async function write(on: Queryable, batch: readonly Prepared[]): Promise<AppendResult[]> {
  const [only] = batch;
  if (only !== undefined && batch.length === 1 && !bringsMore(only) && signalsOf(only).length === 0)
    return [await writeOne(on, only)];
  // One order for all who write, or two batches could wait for each other.
  const sorted = [...batch].sort(byPlace);
  const changed = sorted.filter(changes);
  const signals = batch.flatMap(signalsOf);
  if (signals.length > 0)
    await lockRuns(on, [...changed.map(({ append }) => append.run), ...signals.map(({ run }) => run)]);
  const answer = await writeSorted(on, sorted, changed, rowColumns(sorted));
  if (signals.length > 0) await sendSignals(on, signals, "without bound");
  if (answer?.freed === true) await notify(on, ["due"]);
  const at = Number(answer?.now);
  const parked = new Set(Array.isArray(answer?.parked) ? answer.parked : []);
  const unread = Array.isArray(answer?.unread) ? new Set(answer.unread) : null;
  return batch.map(({ append: { run, next } }) => {
    if (next.kind !== "finish" || unread === null)
      return { kind: "appended", at, parked: next.kind === "park" && parked.has(run) };
    return { kind: "appended", at, parked: false, unread: unread.has(run) };
  });
}

async function writeOne(on: Queryable, prepared: Prepared): Promise<AppendResult> {
  const { append, encoded } = prepared;
  const { run, seq, fence, appendId, change, next } = append;
  const row = [run, seq, fence, appendId, encoded.records];
  if (!changes(prepared)) {
    const [answer] = await on.run("append-one", row);
    return { kind: "appended", at: Number(answer?.now), parked: false };
  }
  const [answer] = await on.run("append-change", [
    ...row,
    next.kind === "finish",
    change?.status ?? null,
    encoded.failureReason !== undefined,
    encoded.failureReason ?? null,
    change?.rollbackStatus ?? null,
    encoded.output ?? null,
    next.kind === "park",
    delayOf(append),
  ]);
  if (answer?.freed === true) await notify(on, ["due"]);
  return { kind: "appended", at: Number(answer?.now), parked: answer?.parked === true };
}

async function writeSorted(
  on: Queryable,
  sorted: readonly Prepared[],
  changed: readonly Prepared[],
  rows: readonly Buffer[],
): Promise<Row | undefined> {
  // In the order of the rows: those of one run come one after the other.
  const events = sorted.flatMap(eventsOf);
  if (changed.length === 0 && events.length === 0) return (await on.run("append-rows", rows))[0];
  const ends = bools(sorted.map(({ append }) => append.next.kind === "finish"));
  const changes = [...rows, ends, ...changeColumns(changed)];
  if (events.length === 0 && !changed.some(touchesInboxOrSnapshots))
    return (await on.run("append-changes", changes))[0];
  const all = [...changes, ...consumedColumns(changed), ...snapshotColumns(changed)];
  if (events.length === 0) return (await on.run("append-all", all))[0];
  return (await on.run("append-events", [...all, ...eventColumns(events)]))[0];
}

function changes({ append }: Prepared): boolean {
  return append.change !== undefined || append.next.kind !== "keep" || touchesInboxOrSnapshots({ append });
}

function touchesInboxOrSnapshots({ append }: Pick<Prepared, "append">): boolean {
  return append.checkpoint !== undefined || (append.consumed !== undefined && append.consumed.length > 0);
}

function bringsMore(prepared: Prepared): boolean {
  return touchesInboxOrSnapshots(prepared) || eventsOf(prepared).length > 0;
}

function eventsOf({ append }: Pick<Prepared, "append">): readonly EventMessage[] {
  return append.events ?? NO_EVENTS;
}

const NO_EVENTS: readonly EventMessage[] = [];

function signalsOf({ append }: Prepared): readonly Signal[] {
  return append.signals ?? [];
}

function byPlace(a: Prepared, b: Prepared): number {
  if (a.append.run !== b.append.run) return a.append.run < b.append.run ? -1 : 1;
  return a.append.seq - b.append.seq;
}

function rowColumns(batch: readonly Prepared[]): Buffer[] {
  return [
    uuids(batch.map(({ append }) => append.run)),
    int4s(batch.map(({ append }) => append.seq)),
    int4s(batch.map(({ append }) => append.fence)),
    texts(batch.map(({ append }) => append.appendId)),
    texts(batch.map(({ encoded }) => encoded.records)),
  ];
}

function changeColumns(batch: readonly Prepared[]): Buffer[] {
  return [
    uuids(batch.map(({ append }) => append.run)),
    texts(batch.map(({ append }) => append.change?.status ?? null)),
    bools(batch.map(({ encoded }) => encoded.failureReason !== undefined)),
    texts(batch.map(({ encoded }) => encoded.failureReason ?? null)),
    texts(batch.map(({ append }) => append.change?.rollbackStatus ?? null)),
    texts(batch.map(({ encoded }) => encoded.output ?? null)),
    bools(batch.map(({ append }) => append.next.kind === "park")),
    int8s(batch.map(({ append }) => delayOf(append))),
    bools(batch.map(({ append }) => append.next.kind === "finish")),
  ];
}

function delayOf({ next }: Append): number | null {
  return next.kind === "park" && next.delayMs !== null ? Math.ceil(next.delayMs) : null;
}

function consumedColumns(batch: readonly Prepared[]): Buffer[] {
  const entries = batch.flatMap(({ append }) => (append.consumed ?? []).map((id) => ({ run: append.run, id })));
  return [uuids(entries.map(({ run }) => run)), texts(entries.map(({ id }) => id))];
}

function snapshotColumns(batch: readonly Prepared[]): Buffer[] {
  const taken = batch.flatMap(({ append, encoded }) =>
    append.checkpoint === undefined ? [] : [{ ...append, ...append.checkpoint, context: encoded.context ?? "null" }],
  );
  return [
    uuids(taken.map(({ run }) => run)),
    int4s(taken.map(({ fence }) => fence)),
    int4s(taken.map(({ n }) => n)),
    int4s(taken.map(({ seq }) => seq)),
    texts(taken.map(({ context }) => context)),
    int4s(taken.map(({ keep }) => keep)),
  ];
}
