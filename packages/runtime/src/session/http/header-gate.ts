import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { type SessionProblem, speaksOfBody } from "./session-problem.js";

/**
 * Holds a response of Node's until what must happen before its headers has happened, whichever call would let them go: `writeHead`,
 * `write`, `end` or `flushHeaders`, and with them everything that is built on these (`json`, `redirect`, `sendFile`, `pipe`).
 *
 *     waiting --first call, nothing to wait for--> open
 *     waiting --first call--> holding --done--> open     the calls that came meanwhile follow, in their order
 *                                     --failed--> closed  they are dropped, and a problem is answered instead
 *
 * While it holds, `write` says that the buffer is full, so a stream that listens stops after its first chunk. Handlers see headers that
 * are sent, so that nobody answers twice.
 */
type State = "waiting" | "holding" | "open" | "closed";

export interface HeaderWork {
  /** Null: nothing to wait for, the headers may go at once. Resolves to what is answered instead, null for nothing. */
  before(): Promise<SessionProblem | null> | null;
}

export function gateHeaders(response: ServerResponse, work: HeaderWork): void {
  // Whatever is there: other middleware wraps them too.
  const { writeHead, write, end, flushHeaders } = response;
  let state: State = "waiting";
  let held: (() => unknown)[] = [];
  let mustDrain = false;

  /** Whether a call may go through now; one that may not is held, or dropped. */
  const passes = (call: () => unknown): boolean => {
    if (state === "waiting") begin();
    if (state === "holding") held.push(call);
    return state === "open";
  };

  const begin = (): void => {
    const pending = work.before();
    if (pending === null) {
      state = "open";
      return;
    }
    state = "holding";
    define("headersSent", () => true);
    pending.then(
      (problem) => (problem === null ? release() : replace(problem)),
      // `before` answers for all that it expects; what it does not must not leave the client waiting.
      (error: Error) => response.destroy(error),
    );
  };

  const release = (): void => {
    state = "open";
    restore();
    const calls = held;
    held = [];
    for (const call of calls) call();
    if (mustDrain && !response.writableNeedDrain && !response.writableEnded) response.emit("drain");
  };

  const replace = (problem: SessionProblem): void => {
    state = "open";
    restore();
    held = [];
    for (const name of response.getHeaderNames()) if (speaksOfBody(name)) response.removeHeader(name);
    response.statusCode = problem.status;
    response.statusMessage = "";
    for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
    // Node would not say it any more once another one was removed.
    response.setHeader("content-length", Buffer.byteLength(problem.body));
    end.call(response, problem.body, "utf8");
    state = "closed";
  };

  response.writeHead = ((...args: unknown[]): ServerResponse => {
    // Headers given here would replace those set before, Set-Cookie too: they are set like all others.
    if (state === "waiting") args = applyHead(response, args);
    const call = (): unknown => (writeHead as (...args: unknown[]) => ServerResponse).apply(response, args);
    if (passes(call)) call();
    return response;
  }) as typeof writeHead;

  response.write = ((...args: unknown[]): boolean => {
    const call = (): boolean => (write as (...args: unknown[]) => boolean).apply(response, args);
    if (passes(call)) return call();
    if (state === "closed") return dropped(args, true);
    mustDrain = true;
    return false;
  }) as typeof write;

  response.end = ((...args: unknown[]): ServerResponse => {
    const call = (): ServerResponse => (end as (...args: unknown[]) => ServerResponse).apply(response, args);
    if (passes(call)) return call();
    if (state === "closed") return dropped(args, response);
    define("writableEnded", () => true);
    return response;
  }) as typeof end;

  response.flushHeaders = (): void => {
    const call = (): void => flushHeaders.call(response);
    if (passes(call)) call();
  };

  const define = (name: "headersSent" | "writableEnded", get: () => boolean): void => {
    Object.defineProperty(response, name, { configurable: true, get });
  };

  const restore = (): void => {
    for (const name of ["headersSent", "writableEnded"]) Reflect.deleteProperty(response, name);
  };
}

/** Sets status and headers as `writeHead` would, and gives what is left of its arguments. */
function applyHead(response: ServerResponse, args: readonly unknown[]): unknown[] {
  const [status, second] = args;
  const hasMessage = typeof second === "string";
  const headers = (hasMessage ? args[2] : (second ?? args[2])) as
    | OutgoingHttpHeaders
    | OutgoingHttpHeader[]
    | undefined;
  if (Array.isArray(headers)) setPairs(response, headers);
  else
    for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) response.setHeader(name, value);
  return hasMessage ? [status, second] : [status];
}

/** `[name, value, name, value]`, or `[[name, value], ...]`; a name that comes again is one more header. */
function setPairs(response: ServerResponse, list: readonly unknown[]): void {
  const pairs = Array.isArray(list[0])
    ? (list as readonly [string, string | readonly string[]][])
    : list.flatMap((name, n) => (n % 2 === 0 ? [[name, list[n + 1]] as [string, string]] : []));
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) response.appendHeader(name, value);
}

function dropped<T>(args: readonly unknown[], result: T): T {
  const callback = args.find((arg) => typeof arg === "function") as (() => void) | undefined;
  if (callback !== undefined) process.nextTick(callback);
  return result;
}
