/**
 * A run's progress as server-sent events: `records` for each row of the journal, `end` when the run has ended. The
 * stream starts with the run's first row, so a client that comes late, or again, misses nothing. It ends with the run, when
 * the client leaves, and when the service stops.
 */
import { PassThrough } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isEnded, type JournalRow, type Runs } from "../../application/ports/runs.js";
import type { HttpContext } from "./http-context.js";
import { toSnakeCase } from "./run-view.js";
import { isoTime } from "./schemas.js";

const HEARTBEAT_MS = 15_000;

/** What a client may see of a record; who did what, and under which fence, is the operators' business. */
const PUBLIC_KEYS = new Set([
  "kind",
  "step",
  "direction",
  "attempt",
  "status",
  "error",
  "refused",
  "retryAfterMs",
  "cause",
]);

export async function streamRun(
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  runs: Runs,
  context: HttpContext,
): Promise<FastifyReply> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  request.raw.socket.once("close", leave);
  const signal = AbortSignal.any([left.signal, context.stopping]);

  const events = new PassThrough();
  // Sent as other answers are, so that they have their headers, which leave before the first event.
  reply.raw.once("pipe", () => reply.raw.flushHeaders());
  reply.type("text/event-stream; charset=utf-8").headers({ "cache-control": "no-store", "x-accel-buffering": "no" });
  reply.send(events);
  const heartbeat = setInterval(() => events.write(": heartbeat\n\n"), HEARTBEAT_MS);
  try {
    for await (const { rows, status } of runs.watch(id, signal)) {
      for (const row of rows) events.write(eventText("records", presentRow(row), row.seq));
      if (isEnded(status)) events.write(eventText("end", { id, status }));
      // A client that reads slowly must not fill this process's memory.
      if (events.writableNeedDrain && !signal.aborted) await drained(events, signal);
    }
  } catch (error) {
    if (!signal.aborted) context.logger.warn({ request_id: request.id, err: error, run_id: id }, "event stream failed");
  } finally {
    clearInterval(heartbeat);
    request.raw.socket.off("close", leave);
    events.end();
  }
  return reply;
}

function presentRow({ seq, at, records }: JournalRow): object {
  const visible = records.map((record) =>
    Object.fromEntries(Object.entries(record).filter(([key]) => PUBLIC_KEYS.has(key))),
  );
  return { seq, at: isoTime(at), records: visible.map(toSnakeCase) };
}

function eventText(event: string, data: object, id?: number): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function drained(stream: PassThrough, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      stream.off("drain", finish);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    stream.once("drain", finish);
    signal.addEventListener("abort", finish, { once: true });
  });
}
