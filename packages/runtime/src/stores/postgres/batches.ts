import type { EventMessage } from "../../broker/event-message.js";
import type { Json } from "../../json.js";
import { checkCount, checkFailureQuery, checkKey, checkOpen, encodeError } from "../../store/batch-codec.js";
import { type BatchState, progressOf } from "../../store/batch-state.js";
import type { ActiveBatch, BatchProgress, BatchStore, OpenBatch } from "../../store/batch-store.js";
import type { PlacedFailure } from "../../store/batch-tables.js";
import { fromCount } from "../../store/event-codec.js";
import { failedItemPage } from "../../store/local-batches.js";
import { encodeJson } from "../../store/run-codec.js";
import type { DefinitionRef } from "../../store/run-store.js";
import { advance } from "./advance-chunks.js";
import { isUuid, texts, uuids } from "./binary-arrays.js";
import { beginChunk } from "./chunk-transaction.js";
import type { Connections, Queryable, Row } from "./connections.js";
import { plant } from "./plant-chunks.js";

/** How the run store whose database they are in runs calls while it is open; `write`: on the server known so far. */
export interface BatchCalls {
  answer<T>(call: (open: Connections) => Promise<T>): Promise<T>;
  write<T>(call: (open: Connections) => Promise<T>): Promise<T>;
  /** These events are in the outbox. */
  onPut(events: readonly EventMessage[]): void;
}

/**
 * A batch is a row that every call locks first, so that room, rate, budget and end are judged by what is true then. A call that plants,
 * settles and gives is one statement. What reads more than the row it waited for is two, for a statement sees the rest as it was before.
 */
export function createPostgresBatches({ answer, write, onPut }: BatchCalls): BatchStore {
  /** Within a transaction that has locked the batch. */
  const locked = <T>(run: string, none: T, body: (on: Queryable) => Promise<T>): Promise<T> =>
    write(async (open) => {
      if (!isUuid(run)) return none;
      return open.transaction(async (on) => {
        const found = await on.run("batch-lock", [uuids([run])]);
        return found.length === 0 ? none : body(on);
      });
    });
  return {
    open: async (batch, round) => {
      checkOpen(batch, round);
      if (isUuid(batch.run)) await write((open) => open.writer.run("batch-open", openColumns(batch, round)));
    },
    active: (worker, definitions) => answer((open) => selectActive(open, worker, definitions)),
    lead: (run, worker) =>
      write(async (open) => {
        const [row] = isUuid(run) ? await open.writer.run("batch-lead", [run, worker]) : [];
        if (row === undefined) return null;
        return { fence: Number(row.fence), cursor: JSON.parse(String(row.cursor)) as Json, next: Number(row.next) };
      }),
    plant: (request) => write((open) => plant(open, request)),
    halt: (run, fence, failure) =>
      write(async (open) => {
        const values = [run, fence, encodeError(failure)];
        return isUuid(run) && (await open.writer.run("batch-halt", values)).length > 0;
      }),
    advance: (request) => write((open) => advance(open.writer, request)),
    async mark({ run, n, fence }, key) {
      if (key !== null) checkKey(key);
      return write(
        async (open) => isUuid(run) && (await open.writer.run("batch-mark", [run, n, fence, key])).length > 0,
      );
    },
    begin: (chunk) => write((open) => beginChunk(open, chunk, onPut)),
    close: (run) =>
      locked(run, "closed", async (on) => {
        const [row] = await on.run("batch-close", [run]);
        return row?.status === "closing" ? "closing" : "closed";
      }),
    told: (run, round) =>
      write(async (open) => {
        if (isUuid(run)) await open.writer.run("batch-told", [run, round]);
      }),
    get: (run) => answer(async (open) => (isUuid(run) ? selectProgress(open, run) : undefined)),
    async failures(run, query) {
      checkFailureQuery(query);
      const values = [run, fromCount(query.cursor, "a cursor") ?? 0, query.limit + 1];
      const rows = await answer(async (open) => (isUuid(run) ? open.reader.run("batch-failures", values) : []));
      return failedItemPage(rows as unknown as PlacedFailure[], query.limit);
    },
    async requeue(run, limit, from) {
      const beginning = encodeJson(from, "the beginning of a chunk");
      checkCount(limit, "a limit", 0);
      return locked(run, 0, async (on) => {
        const [row] = await on.run("batch-requeue", [run, limit, beginning]);
        return Number(row?.items ?? 0);
      });
    },
  };
}

function openColumns(batch: OpenBatch, round: number): readonly unknown[] {
  const { run, concurrency, maxFailures, maxFailureRatio, rateLimit } = batch;
  return [run, round, concurrency, maxFailures, maxFailureRatio, rateLimit?.max ?? null, rateLimit?.windowMs ?? null];
}

/** By the indexes, as all that is asked for again and again. */
async function selectActive(
  connections: Connections,
  worker: string,
  definitions: readonly DefinitionRef[],
): Promise<ActiveBatch[]> {
  if (definitions.length === 0) return [];
  const names = texts(definitions.map(({ name }) => name));
  const versions = texts(definitions.map(({ version }) => version));
  return (await connections.writer.run("batch-active", [worker, names, versions])) as unknown as ActiveBatch[];
}

async function selectProgress(connections: Connections, run: string): Promise<BatchProgress | undefined> {
  const [row] = await connections.reader.run("batch-state", [run]);
  if (row === undefined) return undefined;
  const { now, ...state } = row as Row & { now: number };
  return progressOf(state as unknown as BatchState, now);
}
