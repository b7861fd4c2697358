import { isCostly, type Seen, type Violation } from "../../oracle/seen.js";
import type { ItemCall, SeenBatch } from "./seen-batches.js";

/** From the death of an instance to the first call of another one for a chunk that it was at, ms, without the time in which the database was down. */
export interface Heir {
  readonly run: string;
  readonly instance: string;
  readonly chunk: number;
  readonly ms: number;
}

/** Its last call before its death is no older, ms: what had been given up or was held up before is not its any more. */
const AT_WORK_MS = 2_000;

/** Chunks that killed instances left half done, as far as it can be seen that they did: some of the items had not been called for by anybody. */
export function heirsOf(seen: Seen, batches: readonly SeenBatch[]): Heir[] {
  const kills = seen.faults.filter(({ fault }) => fault === "kill");
  const outages = seen.faults.filter(({ fault }) => fault === "restart");
  return batches
    .filter(({ isChunkedAsRead }) => isChunkedAsRead)
    .flatMap((batch) =>
      kills.flatMap(({ instance, at, until }) => {
        if (instance === null) return [];
        return leftBy(batch, instance, at).flatMap(({ chunk, next }): Heir[] => {
          if (next === undefined || wasHeld(batch, at, next.event.at)) return [];
          if (mayHaveDied(seen, instance, until, next.event.at)) return [];
          const from = outages
            .filter((outage) => outage.at < next.event.at && outage.until > at)
            .reduce((latest, outage) => Math.max(latest, outage.until), until);
          return [{ run: batch.run.id, instance, chunk, ms: Math.max(0, next.event.at - from) }];
        });
      }),
    );
}

export function checkHeirs(heirs: readonly Heir[], boundMs: number): Violation[] {
  return heirs
    .filter(({ ms }) => ms > boundMs)
    .map(({ run, instance, chunk, ms }) => {
      const message = `chunk ${chunk} of ${instance}, which was killed, went on after ${Math.round(ms)} ms, expected at most ${boundMs} ms`;
      return { rule: "chunk takeover", run, message };
    });
}

/** `next`: the first call for it afterwards. */
function leftBy(batch: SeenBatch, instance: string, at: number): { chunk: number; next: ItemCall | undefined }[] {
  const recent = batch.calls.filter(({ event }) => event.at <= at && event.at > at - AT_WORK_MS);
  const chunks = new Set(recent.filter(({ event }) => event.instance === instance).map(({ chunk }) => chunk));
  return [...chunks].flatMap((chunk) => {
    const calls = batch.calls.filter((call) => call.chunk === chunk);
    const before = calls.filter(({ event }) => event.at <= at);
    const begun = new Set(before.map(({ item }) => item)).size;
    const { chunkSize } = batch.shape;
    const size = Math.min(chunkSize, batch.items.length - chunk * chunkSize);
    if (before.at(-1)?.event.instance !== instance || begun === size) return [];
    return [{ chunk, next: calls.find(({ event }) => event.at > at && event.instance !== instance) }];
  });
}

/** Its heir may have been lost as well, before it called anybody. */
function mayHaveDied({ faults }: Seen, instance: string, from: number, to: number): boolean {
  return faults.some(
    (fault) =>
      isCostly(fault) && fault.instance !== null && fault.instance !== instance && fault.at < to && fault.until > from,
  );
}

/** Somebody, or its budget, held the batch up meanwhile. */
function wasHeld({ run }: SeenBatch, from: number, to: number): boolean {
  const stood = run.told.filter(({ event }) => event.at > from - AT_WORK_MS && event.at < to + AT_WORK_MS);
  return (
    run.verbs.some(({ at }) => at > from - AT_WORK_MS && at < to + AT_WORK_MS) ||
    stood.some(({ event }) => event.status === "paused" || event.status === "stuck")
  );
}
