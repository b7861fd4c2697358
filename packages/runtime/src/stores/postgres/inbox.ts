import { RuntimeError } from "../../errors.js";
import { encodeSignal } from "../../store/run-codec.js";
import type { Signal, SignalResult } from "../../store/run-store.js";
import { isUuid, texts, uuids } from "./binary-arrays.js";
import type { Connections, Queryable } from "./connections.js";
import { notify } from "./listener.js";

/** Messages into inboxes: the runs are locked first, so that none of them ends or parks meanwhile unseen. */
export async function signal(connections: Connections, signals: readonly Signal[]): Promise<SignalResult[]> {
  if (signals.length === 0) return [];
  return connections.transaction((on) => sendSignals(on, signals));
}

/** Within a transaction. */
export async function sendSignals(on: Queryable, signals: readonly Signal[]): Promise<SignalResult[]> {
  const encoded = signals.map((element) => ({ element, payload: payloadOf(element) }));
  const runs = [...new Set(encoded.filter(({ payload }) => payload !== null).map(({ element }) => element.run))].filter(
    isUuid,
  );
  const locked = new Map((await on.run("signal-lock", [uuids(runs.sort())])).map((row) => [row.id, row.ended === true]));
  const targets = encoded.filter(({ element, payload }) => payload !== null && locked.has(element.run));
  const known = await on.run("signal-known", keyColumns(targets.map(({ element }) => element)));
  const seen = new Set(known.map((row) => `${row.run}/${row.id}`));
  const fresh: typeof targets = [];
  const results = encoded.map(({ element, payload }, index): SignalResult => {
    if (payload === null) return "rejected";
    const ended = locked.get(element.run);
    if (ended === undefined) return "not-found";
    if (seen.has(`${element.run}/${element.id}`)) return "duplicate";
    if (ended) return "ended";
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
  await notify(on, [
    ...new Set(sent.map((row) => (row.owned === true ? `inbox ${row.run}` : "due"))),
  ]);
  return results;
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
