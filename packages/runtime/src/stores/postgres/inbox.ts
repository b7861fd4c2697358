import { RuntimeError } from "../../errors.js";
import { encodeSignal } from "../../store/run-codec.js";
import { MAX_UNREAD, type Signal, type SignalResult } from "../../store/run-store.js";
import { isUuid, texts, uuids } from "./binary-arrays.js";
import type { Connections, Queryable, Row } from "./connections.js";
import { notify } from "./listener.js";

/** Messages into inboxes: the runs are locked first, so that none of them ends or parks meanwhile unseen. */
export async function signal(connections: Connections, signals: readonly Signal[]): Promise<SignalResult[]> {
  if (signals.length === 0) return [];
  return connections.transaction((on) => sendSignals(on, signals, "up to the bound"));
}

/** Within a transaction. What an append brings (`without bound`) is taken however much is unread. */
export async function sendSignals(
  on: Queryable,
  signals: readonly Signal[],
  bound: "up to the bound" | "without bound",
): Promise<SignalResult[]> {
  const encoded = signals.map((element) => ({ element, payload: payloadOf(element) }));
  const rows = await lockRuns(
    on,
    encoded.filter(({ payload }) => payload !== null).map(({ element }) => element.run),
  );
  const locked = new Map(rows.map((row) => [row.id, { ended: row.ended === true, unread: Number(row.unread) }]));
  const targets = encoded.filter(({ element, payload }) => payload !== null && locked.has(element.run));
  const known = await on.run("signal-known", keyColumns(targets.map(({ element }) => element)));
  const seen = new Set(known.map((row) => `${row.run}/${row.id}`));
  const fresh: typeof targets = [];
  const results = encoded.map(({ element, payload }, index): SignalResult => {
    if (payload === null) return "rejected";
    const run = locked.get(element.run);
    if (run === undefined) return "not-found";
    if (seen.has(`${element.run}/${element.id}`)) return "duplicate";
    if (run.ended) return "ended";
    if (bound === "up to the bound" && run.unread >= MAX_UNREAD) return "full";
    run.unread += 1;
    seen.add(`${element.run}/${element.id}`);
    fresh.push(encoded[index] as (typeof encoded)[number]);
    return "accepted";
  });
  if (fresh.length === 0) return results;
  const elements = fresh.map(({ element }) => element);
  const sent = await on.run("signal", [
    ...keyColumns(elements),
    texts(elements.map(({ kind }) => kind)),
    texts(elements.map(({ name }) => name)),
    texts(elements.map(({ actor }) => actor)),
    texts(fresh.map(({ payload }) => payload)),
  ]);
  await notify(on, [...new Set(sent.map((row) => (row.owned === true ? `inbox ${row.run}` : "due")))]);
  return results;
}

/** All that a transaction will change, before it changes any: two of them that change each other's runs would else wait for each other. */
export function lockRuns(on: Queryable, runs: readonly string[]): Promise<Row[]> {
  return on.run("signal-lock", [uuids([...new Set(runs)].filter(isUuid).sort())]);
}

function keyColumns(signals: readonly Signal[]): Buffer[] {
  return [uuids(signals.map(({ run }) => run)), texts(signals.map(({ id }) => id))];
}

function payloadOf(element: Signal): string | null {
  try {
    return encodeSignal(element);
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "input-invalid") return null;
    throw error;
  }
}
