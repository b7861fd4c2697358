import type { Msg, Subscription } from "@nats-io/transport-node";
import type { CancelTimer, Clock } from "../../ports.js";
import type { Connection } from "./connection.js";

/** How long the server keeps a request for messages, ms. */
const EXPIRES_MS = 10_000;
/** Beyond that the request, or the word that it has expired, is taken for lost, ms. */
const LATE_MS = 2_000;

export interface PullOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly stream: string;
  readonly group: string;
  onMessage(msg: Msg): void;
  /** The server gives none to this request, for another reason than that there are none. */
  onTrouble(reason: string): void;
}

/** Asks for messages of a group; at most one request is out. */
export class Pull {
  readonly #options: PullOptions;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  #requests = 0;
  /** Messages that the request which is out may still bring; 0: none is out. */
  #awaited = 0;
  #cancelTimer: CancelTimer = () => {};

  constructor(options: PullOptions) {
    this.#options = options;
    const { connection } = options;
    this.#inbox = connection.newInbox();
    const callback = (error: Error | null, msg: Msg): void => {
      if (error === null) this.#receive(msg);
      else options.onTrouble(error.message);
    };
    this.#subscription = connection.nc.subscribe(`${this.#inbox}.*`, { callback });
  }

  get isOut(): boolean {
    return this.#awaited > 0;
  }

  /** Nothing while one is out. */
  request(batch: number): void {
    if (this.isOut || batch < 1) return;
    const { connection, clock, stream, group } = this.#options;
    this.#requests += 1;
    this.#awaited = batch;
    this.#cancelTimer = clock.after(EXPIRES_MS + LATE_MS, () => {
      this.forget();
      this.#options.onTrouble("no word of a request for messages");
    });
    const reply = `${this.#inbox}.${this.#requests}`;
    const body = JSON.stringify({ batch, expires: EXPIRES_MS * 1_000_000 });
    connection.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${group}`, body, { reply });
  }

  /** It brings nothing any more, as far as known. */
  forget(): void {
    this.#awaited = 0;
    this.#cancelTimer();
  }

  /** What the server had sent before it heard of this still comes. Harmless without a connection. */
  async close(): Promise<void> {
    this.forget();
    await this.#options.connection.call(() => this.#subscription.drain()).catch(() => this.#subscription.unsubscribe());
  }

  #receive(msg: Msg): void {
    const status = msg.data.length === 0 ? (msg.headers?.code ?? 0) : 0;
    if (status === 0) {
      this.#awaited = Math.max(0, this.#awaited - 1);
      if (!this.isOut) this.#cancelTimer();
      this.#options.onMessage(msg);
      return;
    }
    // Below 200 it is a sign of life; one that is not of the last request says nothing of it.
    if (status < 200 || msg.subject !== `${this.#inbox}.${this.#requests}`) return;
    this.forget();
    const hasExpired = status === 408 || status === 404;
    this.#options.onTrouble(hasExpired ? "" : `${status} ${msg.headers?.description ?? ""}`);
  }
}
