/** Events as the interfaces use them: what operators do with those that nobody could handle, and what a request causes. */
import type { ParkedEvent } from "@clean-arch/runtime";

export interface Events {
  readonly parked: ParkedEvents;
  /** What is published while `call` runs follows from this W3C trace parent; one that is none is left out. */
  causedBy(traceparent: string | undefined, call: () => void): void;
}

/** A group is those who handle the same events together; one event may be parked in several. */
export interface ParkedEvents {
  /** Newest first. */
  list(query: {
    readonly group?: string;
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<{ readonly items: readonly ParkedEvent[]; readonly nextCursor: string | null }>;
  /** Hands it to its group once more, and resolves when it was handled. Throws a `Refusal`, and it stays parked, when it was not. */
  redrive(eventId: string, group: string | undefined): Promise<void>;
  /** It is never handled. Who wants so and why is logged. */
  discard(
    eventId: string,
    group: string | undefined,
    why: { readonly actor: string; readonly reason: string },
  ): Promise<void>;
}

export type { ParkedEvent } from "@clean-arch/runtime";
