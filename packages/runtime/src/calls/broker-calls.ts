import type { Broker, Subscriber } from "../broker/broker.js";
import type { EventMessage } from "../broker/event-message.js";
import { RuntimeError } from "../errors.js";
import { type Logger, silentLogger } from "../log.js";
import { type CancelTimer, type Ports, systemPorts, uuidV7 } from "../ports.js";
import { type CallReply, type CallRequest, readReply, writeRequest } from "./call-message.js";

export interface BrokerCallsOptions {
  /** Opened by the first call, closed with the calls. It is theirs alone, or at least its `request.` and `reply.` subjects are. */
  readonly broker: Broker;
  /** Who calls; for those who look at messages: `orders`. Words of a URI. Default `caller`. */
  readonly source?: string;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: the system's. */
  readonly ports?: Ports;
}

export type CallToMake = Omit<CallRequest, "id" | "replyTo" | "deadline">;

export interface CallBounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `isSent` false: nothing has left, so that nobody will perform it. */
export type CallResult =
  | { readonly kind: "answered"; readonly reply: CallReply }
  | { readonly kind: "unanswered"; readonly isSent: boolean; readonly error: RuntimeError | "timeout" | "aborted" };

/** Calls of this process to services behind a broker; their replies come to it alone, on a subject of its own. */
export interface BrokerCalls {
  /** For descriptions: name of the broker. */
  readonly broker: string;
  /** Never rejects. */
  call(call: CallToMake, bounds: CallBounds): Promise<CallResult>;
  /** Ends what is under way as unanswered, and closes the broker. Twice is once. */
  close(): Promise<void>;
}

type Settle = (result: CallResult) => void;

export function createBrokerCalls(options: BrokerCallsOptions): BrokerCalls {
  return new Calls(options);
}

class Calls implements BrokerCalls {
  readonly broker: string;
  readonly #options: BrokerCallsOptions;
  readonly #ports: Ports;
  readonly #logger: Logger;
  readonly #instance: string;
  readonly #waiting = new Map<string, Settle>();
  #joining: Promise<Subscriber> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: BrokerCallsOptions) {
    this.#options = options;
    this.broker = options.broker.name;
    this.#ports = options.ports ?? systemPorts;
    this.#logger = options.logger ?? silentLogger;
    this.#instance = uuidV7(this.#ports);
  }

  call(call: CallToMake, { timeoutMs, signal }: CallBounds): Promise<CallResult> {
    const id = uuidV7(this.#ports);
    const { clock } = this.#ports;
    return new Promise((resolve) => {
      let cancelTimer: CancelTimer = () => {};
      let isSent = false;
      const settle: Settle = (result) => {
        if (!this.#waiting.delete(id)) return;
        cancelTimer();
        signal.removeEventListener("abort", abort);
        resolve(result);
      };
      const end = (error: RuntimeError | "timeout" | "aborted"): void => settle({ kind: "unanswered", isSent, error });
      const abort = (): void => end("aborted");
      this.#waiting.set(id, settle);
      if (this.#closing !== null) return end(stopped());
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      // Made at once, before the worker's own of the same length: this one knows more to say.
      cancelTimer = clock.after(timeoutMs, () => end("timeout"));
      const request = { ...call, id, replyTo: this.#replyTo, deadline: clock.now() + timeoutMs };
      const send = async (): Promise<void> => {
        const message = writeRequest(request, `/${this.#options.source ?? "caller"}`, this.#ports);
        await this.#join();
        if (!this.#waiting.has(id)) return;
        isSent = true;
        await this.#publish(message);
      };
      send().catch((error: unknown) => {
        const reason = runtimeError(error);
        if (reason.details.sent === false) isSent = false;
        end(reason);
      });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  get #replyTo(): string {
    return `reply.${this.#instance}`;
  }

  async #close(): Promise<void> {
    for (const settle of [...this.#waiting.values()]) settle({ kind: "unanswered", isSent: true, error: stopped() });
    const subscriber = await this.#joining?.catch(() => null);
    await subscriber?.stop();
    await this.#options.broker.close();
  }

  /** Nothing is asked before the reply would be heard. */
  #join(): Promise<Subscriber> {
    this.#joining ??= this.#subscribe().catch((error: unknown) => {
      this.#joining = null;
      const { code, message, details } = runtimeError(error);
      throw new RuntimeError(code, message, { ...details, sent: false }, { cause: error });
    });
    return this.#joining;
  }

  async #subscribe(): Promise<Subscriber> {
    const { broker } = this.#options;
    await broker.open();
    return broker.subscribe({
      ...{ group: `replies-${this.#instance}`, subjects: [this.#replyTo], ephemeral: true },
      handle: async ({ message }) => this.#hear(message),
    });
  }

  async #publish(message: EventMessage): Promise<void> {
    const [result] = await this.#options.broker.publish([message]);
    if (result?.kind !== "rejected") return;
    throw new RuntimeError("payload-too-large", result.reason, { sent: false });
  }

  #hear(message: EventMessage): void {
    try {
      const { request, ...reply } = readReply(message);
      // Nobody waits for one that comes twice, or after its time.
      this.#waiting.get(request)?.({ kind: "answered", reply });
    } catch (error) {
      this.#logger.warn({ event: message.id, error: String(error) }, "a reply cannot be read; its call times out");
    }
  }
}

function stopped(): RuntimeError {
  return new RuntimeError("runtime-stopped", "expected calls that are open, got one after or during their close");
}

function runtimeError(error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  return new RuntimeError("internal", `expected a broker's answer, got ${String(error)}`, {}, { cause: error });
}
