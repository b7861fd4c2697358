import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { CallEvent, History, Output } from "../history.js";
import { drawn } from "../seeded.js";
import { type Behavior, behaviorOf } from "./behavior.js";
import { EffectLedger, type Verdict } from "./effect-ledger.js";
import type { PagedSource } from "./paged-source.js";

export interface ParticipantsOptions {
  readonly seed: number;
  /** After which callers give up, ms. */
  readonly timeoutMs: number;
  readonly history: History;
  /** What is asked for under `/<instance>/<name>`. Default: nobody serves pages. */
  readonly source?: { readonly name: string; readonly pages: PagedSource };
}

/** The services that the sagas call: never killed, with a ledger of their own, and moody. */
export interface Participants {
  /** Where one instance finds one service. */
  url(instance: string, service: string): string;
  /** From here on nothing goes wrong but what was refused. */
  calm(): void;
  /** Calls and effects still to come. */
  readonly underWay: number;
  close(): Promise<void>;
}

const ANSWERS = {
  "stale-fence": { status: 409, code: "stale-fence" },
  compensated: { status: 409, code: "compensated" },
  "in-progress": { status: 409, code: "in-progress" },
} as const;

export async function startParticipants(options: ParticipantsOptions): Promise<Participants> {
  const { seed, timeoutMs, history, source } = options;
  const ledger = new EffectLedger();
  const callsByKey = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  let [calls, calm] = [0, false];

  const after = (delayMs: number, callback: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      callback();
    }, delayMs);
    timers.add(timer);
  };

  const answer = (
    response: ServerResponse,
    call: CallEvent,
    status: number | null,
    body: string,
    options: { readonly why?: Exclude<Verdict["kind"], "go">; readonly retryAfterS?: number } = {},
  ): void => {
    history.add({
      ...{ kind: "answer", at: Date.now(), call: call.call, status },
      ...(options.why !== undefined && { why: options.why }),
    });
    if (status === null) return void response.socket?.resetAndDestroy();
    const retry = options.retryAfterS === undefined ? {} : { "retry-after": String(options.retryAfterS) };
    response.writeHead(status, { "content-type": "application/json", ...retry }).end(body);
  };

  const effect = (call: CallEvent): boolean => {
    const output = outputOf(seed, call);
    if (!ledger.apply(call, output)) return false;
    const { run, step, direction, key } = call;
    history.add({ kind: "effect", at: Date.now(), call: call.call, run, step, direction, key, output });
    return true;
  };

  const succeed = (call: CallEvent, response: ServerResponse): void => {
    if (effect(call)) return answer(response, call, 200, JSON.stringify(outputOf(seed, call)));
    answer(response, call, 409, problem("compensated"), { why: "compensated" });
  };

  const perform = (behavior: Behavior, call: CallEvent, response: ServerResponse): void => {
    if (behavior.kind === "hangs") {
      // Without an effect it holds its key for a while all the same, as a stuck request does.
      after(behavior.effectAfterMs ?? timeoutMs, () =>
        behavior.effectAfterMs === null ? ledger.drop(call) : void effect(call),
      );
      return;
    }
    after(behavior.afterMs, () => {
      if (behavior.kind === "answers") return succeed(call, response);
      const had = behavior.kind === "garbles" || ("effect" in behavior && behavior.effect) ? effect(call) : false;
      if (!had) ledger.drop(call);
      if (behavior.kind === "garbles") return answer(response, call, had ? 200 : 503, "not json");
      if (behavior.kind === "breaks") return answer(response, call, null, "");
      if (behavior.kind === "refuses") return answer(response, call, 422, problem("refused"));
      const { status, retryAfterS } = behavior;
      answer(response, call, status, problem("unwell"), retryAfterS === undefined ? {} : { retryAfterS });
    });
  };

  const givePage = (pages: PagedSource, request: IncomingMessage, text: string, response: ServerResponse): void => {
    const { status, page } = pages.answer(headerOf(request, "x-run-id"), JSON.parse(text), calm);
    const body = status === 200 ? JSON.stringify(page) : problem("unwell");
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  };

  const scheduled = new Set<string>();
  const noteSchedule = ({ at, run }: CallEvent, text: string): void => {
    const { tick, definition } = record(record(JSON.parse(text)).input);
    if (typeof tick !== "string" || typeof definition !== "string" || scheduled.has(run)) return;
    scheduled.add(run);
    history.add({ kind: "scheduled", at, run, definition, tick });
  };

  const take = (request: IncomingMessage, text: string, response: ServerResponse): void => {
    if (source !== undefined && request.url?.split("/")[2] === source.name)
      return givePage(source.pages, request, text, response);
    calls += 1;
    const call = callOf(request, text, calls);
    history.add(call);
    noteSchedule(call, text);
    const verdict = ledger.arrive(call);
    if (verdict.kind === "replayed")
      return answer(response, call, 200, JSON.stringify(verdict.output), { why: "replayed" });
    if (verdict.kind !== "go") {
      const { status, code } = ANSWERS[verdict.kind];
      return answer(response, call, status, problem(code), { why: verdict.kind });
    }
    const n = (callsByKey.get(call.key) ?? 0) + 1;
    callsByKey.set(call.key, n);
    perform(behaviorOf({ seed, timeoutMs }, { ...call, n }, calm), call, response);
  };

  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => take(request, text, response));
    // A caller that was killed half-way, or gave up.
    request.on("error", () => {});
    response.on("error", () => {});
  });
  const port = await listen(server);
  return {
    url: (instance, service) => `http://127.0.0.1:${port}/${instance}/${service}`,
    calm: () => {
      calm = true;
    },
    get underWay() {
      return timers.size;
    },
    async close() {
      for (const timer of timers) clearTimeout(timer);
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function listen(server: Server): Promise<number> {
  // Idle connections are the callers' business: closing one under a request would be a fault nobody asked for.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port of the loopback address");
  return address.port;
}

/** The same for every call of a key. What it gives the context can be looked for in later calls. */
function outputOf(seed: number, { key, step, direction }: CallEvent): Output {
  if (direction === "compensate") return null;
  const reference = `${step}-${Math.floor(drawn(seed, "reference", key) * 2 ** 32).toString(36)}`;
  return { reference, context: { [`of_${step}`]: reference } };
}

function problem(code: string): string {
  return JSON.stringify({ type: "about:blank", title: `the participant says ${code}`, code });
}

function callOf(request: IncomingMessage, text: string, call: number): CallEvent {
  const header = (name: string): string => headerOf(request, name);
  const body = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const common = {
    ...{ at: Date.now(), call, instance: request.url?.split("/")[1] ?? "" },
    ...{ run: header("x-run-id"), step: header("x-step"), key: header("idempotency-key") },
    ...{ fence: Number(header("x-run-fence")), attempt: Number(header("x-attempt")) },
    context: record(body.context),
  };
  if (typeof body.forward_key !== "string")
    return { kind: "call", ...common, direction: "forward", outputs: record(body.outputs) };
  return {
    kind: "call",
    ...common,
    direction: "compensate",
    ...{ outputs: {}, forwardKey: body.forward_key, output: body.output },
    outcome: body.outcome === "completed" ? "completed" : "unknown",
  };
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
