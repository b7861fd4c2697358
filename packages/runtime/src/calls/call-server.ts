import { type HttpAnswer, problem } from "../barrier/http-answer.js";
import type { Broker, Delivery } from "../broker/broker.js";
import type { EventMessage } from "../broker/event-message.js";
import { Membership } from "../events/membership.js";
import { type Logger, silentLogger } from "../log.js";
import { type Ports, systemPorts } from "../ports.js";
import { type CallReply, type CallRequest, readRequest, requestSubject, writeReply } from "./call-message.js";

/** A request as a route gets it. */
export interface ServedCall extends CallRequest {
  /** Aborted when the server stops and does not wait any longer, or the request has gone to another instance. */
  readonly signal: AbortSignal;
}

/** Answers a request; `brokerBarrier` makes them. What it throws is answered with 500, or with its `statusCode`. */
export type CallRoute = (call: ServedCall) => CallReply | Promise<CallReply>;

export interface CallServerOptions {
  /** The server opens it; whoever made it closes it. */
  readonly broker: Broker;
  /** As stages name it. All instances of the service share its requests. */
  readonly service: string;
  /** By endpoint, with its leading slash. */
  readonly routes: Readonly<Record<string, CallRoute>>;
  /** Answered at the same time by this instance, at most. Default 32. */
  readonly concurrency?: number;
  /** How long an instance may be silent before its requests go to others, ms. It is not silent while a route runs. Default 10,000. */
  readonly silenceMs?: number;
  /** Told about requests that cannot be read, and what routes throw. Default: silent. */
  readonly logger?: Logger;
  /** Default: the system's. */
  readonly ports?: Ports;
}

/** The participants' side of calls over a broker: it answers each request at least once. */
export interface CallServer {
  /**
   * A broker that does not answer is tried again in the background; this resolves after the first try. Twice is once. Errors:
   * `broker-incompatible`, `input-invalid`.
   */
  start(): Promise<void>;
  /** Takes no more requests and waits for those under way, at most `graceMs` (default 10,000). The broker stays open. Twice is once. */
  stop(graceMs?: number): Promise<void>;
  /** Whether requests reach it. */
  readonly isListening: boolean;
}

/** Errors: `config-invalid` for the service's name. */
export function createCallServer(options: CallServerOptions): CallServer {
  const { broker, service, routes, concurrency = 32, silenceMs = 10_000 } = options;
  const { logger = silentLogger, ports = systemPorts } = options;

  async function handle({ message, signal }: Delivery): Promise<void> {
    const request = read(message);
    if (request === undefined) return;
    const [result] = await broker.publish([replyTo(request, await answer({ ...request, signal }))]);
    if (result?.kind === "rejected")
      logger.error({ request: request.id, reason: result.reason }, "the broker refused a reply; its call times out");
  }

  function read(message: EventMessage): CallRequest | undefined {
    try {
      return readRequest(message);
    } catch (error) {
      logger.error({ event: message.id, error: String(error) }, "a request cannot be read and is left unanswered");
      return undefined;
    }
  }

  async function answer(call: ServedCall): Promise<CallReply> {
    const lateMs = ports.clock.now() - call.deadline;
    if (lateMs > 0) {
      const detail = `its caller's time was up ${lateMs} ms before it came; should the caller still wait, set the clocks of both right`;
      return problem({ status: 408, code: "too-late", message: detail });
    }
    const route = Object.hasOwn(routes, call.endpoint) ? routes[call.endpoint] : undefined;
    if (route === undefined) {
      const known = Object.keys(routes).join(", ") || "none";
      const detail = `expected an endpoint of ${service}, got ${call.endpoint.slice(0, 200)}; it has ${known}`;
      return problem({ status: 404, code: "endpoint-unknown", message: detail });
    }
    try {
      return await route(call);
    } catch (error) {
      return fault(call, error);
    }
  }

  /** As a framework of HTTP would answer it; what went wrong inside stays inside. */
  function fault({ endpoint, headers }: ServedCall, error: unknown): HttpAnswer {
    const { statusCode, status = statusCode, code } = (error ?? {}) as Record<string, unknown>;
    const isStatus = typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599;
    const isOurs = !isStatus || status >= 500;
    if (isOurs) logger.error({ endpoint, run: headers["x-run-id"], error }, "a call failed; it may come again");
    return problem({
      status: isStatus ? status : 500,
      code: typeof code === "string" ? code : "handler-threw",
      message: isOurs ? `${service}${endpoint} failed; its log has the error` : String((error as Error).message),
    });
  }

  function replyTo(request: CallRequest, reply: CallReply): EventMessage {
    try {
      return writeReply(request, reply, ports);
    } catch (error) {
      logger.error({ request: request.id, error: String(error) }, "an answer cannot be sent; its run gets none");
      // It ran, and its output stays unknown.
      return writeReply(request, { status: reply.status, headers: {}, body: undefined }, ports);
    }
  }

  const subscription = {
    ...{ group: service, subjects: [requestSubject(service)], concurrency, silenceMs, handle },
  };
  const membership = new Membership({ broker, subscription, ports, logger });
  return {
    start: () => membership.start(),
    stop: (graceMs) => membership.stop(graceMs),
    get isListening() {
      return membership.isSubscribed;
    },
  };
}
