import { RuntimeError } from "../../errors.js";
import { subjectTag, tagOf } from "../../store/session-id.js";
import type { SessionStore } from "../../store/session-store.js";
import { linearize, type Operation } from "./linearize.js";
import { type Describe, type Lifetime, perform, type SessionCall } from "./session-call.js";
import { sessionModel } from "./session-model.js";

/** Who called, and when. */
export interface SessionOperation extends Operation<SessionCall> {
  readonly client: string;
}

export interface SessionHistoryOptions extends Lifetime {
  /** The store's clock at the start. */
  readonly now: number;
  readonly describe: Describe;
}

/** What clients asked and were told, in the order in which it happened, of the sessions of one seed. */
export class SessionHistory {
  readonly operations: SessionOperation[] = [];
  readonly #options: SessionHistoryOptions;
  #places = 0;

  constructor(options: SessionHistoryOptions) {
    this.#options = options;
  }

  get unknown(): number {
    return this.operations.filter(({ answer }) => answer === null).length;
  }

  /** Gives the answer; null when the store did not answer and the effect is unknown. Anything else that is thrown, is. */
  async call(
    client: string,
    store: SessionStore,
    call: Exclude<SessionCall, { readonly kind: "advance" }>,
  ): Promise<string | null> {
    this.#places += 1;
    const invokedAt = this.#places;
    try {
      const answer = await perform(store, call, this.#options, this.#options.describe);
      this.#places += 1;
      this.operations.push({ client, call, invokedAt, returnedAt: this.#places, answer });
      return answer;
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== "store-unavailable") throw error;
      this.operations.push({ client, call, invokedAt, returnedAt: Number.POSITIVE_INFINITY, answer: null });
      return null;
    }
  }

  /** The store's clock was moved, and nobody called meanwhile. */
  advanced(ms: number): void {
    this.#places += 2;
    const at = { invokedAt: this.#places - 1, returnedAt: this.#places };
    this.operations.push({ client: "clock", call: { kind: "advance", ms }, ...at, answer: "advanced" });
  }

  /** Null when every answer is one that a single caller could have had; else what cannot be explained, in sentences. */
  check(): string | null {
    const places = new Map<string, SessionOperation[]>();
    for (const operation of this.operations) {
      const place = placeOf(operation.call);
      if (place !== null) places.set(place, [...(places.get(place) ?? []), operation]);
    }
    const advances = this.operations.filter(({ call }) => call.kind === "advance");
    for (const ofPlace of places.values()) {
      const trouble = this.#explain([...ofPlace, ...advances]);
      if (trouble !== null) return trouble;
    }
    return null;
  }

  #explain(operations: readonly SessionOperation[]): string | null {
    const verdict = linearize(sessionModel(this.#options), operations);
    if (verdict.kind === "explained") return null;
    if (verdict.kind === "undecided") return `undecided: ${operations.length} operations overlap too much`;
    const clients = new Map<Operation<SessionCall>, string>(operations.map((one) => [one, one.client]));
    const line = ({ call, invokedAt, returnedAt, answer }: Operation<SessionCall>, client?: string): string =>
      `  ${invokedAt}-${returnedAt} ${client} ${JSON.stringify(call)} -> ${answer ?? "unknown"}`;
    return [
      "no order of these calls explains what they answered; the longest that was found:",
      ...verdict.order.map((one) => line(one, clients.get(one))),
      `then the sessions are ${JSON.stringify(verdict.state.sessions)}, and next may come`,
      ...verdict.next.map(
        ({ operation, expected }) => `${line(operation, clients.get(operation))}, expected ${expected}`,
      ),
    ].join("\n");
  }
}

/** Sessions of one subject are one matter: a call may end all of them. Null: every session's. */
function placeOf(call: SessionCall): string | null {
  if (call.kind === "advance") return null;
  return call.kind === "revokeSubject" ? subjectTag(call.subject) : tagOf(call.id);
}
