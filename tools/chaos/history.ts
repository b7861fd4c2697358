/**
 * What was seen from outside, in the order it was seen: by the participants, by the clients, and by whoever did the mischief.
 * Times are those of this machine's clock, ms. The oracle judges this, and nothing that the service keeps.
 */
export type Event = CallEvent | EffectEvent | AnswerEvent | ClientEvent | TaskEvent | FaultEvent;

export type Direction = "forward" | "compensate";

/** A call of a participant arrived. */
export interface CallEvent {
  readonly kind: "call";
  readonly at: number;
  /** Names the call in `effect` and `answer`. */
  readonly call: number;
  /** `<slot>.<life>` of the process that called. */
  readonly instance: string;
  readonly run: string;
  readonly step: string;
  readonly direction: Direction;
  readonly key: string;
  readonly fence: number;
  readonly attempt: number;
  /** Of earlier steps, as the caller gave them. */
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
  /** Of a compensation: what the caller believes became of the step. */
  readonly outcome?: "completed" | "unknown";
  readonly output?: unknown;
  readonly forwardKey?: string;
}

/** A call had its effect in the participant's ledger. At most one per key, which the ledger sees to. */
export interface EffectEvent {
  readonly kind: "effect";
  readonly at: number;
  readonly call: number;
  readonly run: string;
  readonly step: string;
  readonly direction: Direction;
  readonly key: string;
  /** What is answered to this call and to every later one under the key. */
  readonly output: Output;
}

/** Of a step: a name that is its own, also put into the run's context. Of a compensation: null. */
export type Output = { readonly reference: string; readonly context: Readonly<Record<string, string>> } | null;

/** An answer left the participant, or was lost on purpose. */
export interface AnswerEvent {
  readonly kind: "answer";
  readonly at: number;
  readonly call: number;
  /** HTTP status; null: the connection was broken instead. */
  readonly status: number | null;
  /** Why, when it was neither success nor a failure drawn by chance. */
  readonly why?: "stale-fence" | "compensated" | "in-progress" | "replayed";
}

export type ClientEvent =
  /** A start was acknowledged. */
  | {
      readonly kind: "started";
      readonly at: number;
      readonly instance: string;
      readonly key: string;
      readonly definition: string;
      readonly run: string;
    }
  /** The API told a run's status. */
  | {
      readonly kind: "told";
      readonly at: number;
      readonly instance: string;
      readonly run: string;
      readonly status: string;
      /** How many events had been seen when it was asked: the answer is no older than they are. */
      readonly asked: number;
      /** Of a batch. */
      readonly progress?: Progress;
      /** Of a run that completed. */
      readonly output?: unknown;
    }
  /** The API did not know a run that had been acknowledged. */
  | { readonly kind: "unknown"; readonly at: number; readonly instance: string; readonly run: string }
  /** A start was refused for good, which none should be. */
  | {
      readonly kind: "refused";
      readonly at: number;
      readonly instance: string;
      readonly key: string;
      readonly answer: string;
    }
  /** A verb was acknowledged. */
  | {
      readonly kind: "verb";
      readonly at: number;
      readonly run: string;
      /** The run of the stage that it was for, where stages have runs of their own. */
      readonly stage?: string;
      readonly verb: string;
      /** Names the request in the journal. */
      readonly reason: string;
    };

/** How far a batch is, as its view has it. */
export interface Progress {
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
}

/** An item that failed for good, as it is listed. */
export interface FailedItem {
  readonly key: string;
  /** Why. */
  readonly code: string;
}

/** What clients of batches, of waiting workflows and of schedules see besides. */
export type TaskEvent =
  /** All pages of a batch's failed items, asked when it had ended or was parked for good. */
  | { readonly kind: "failed-items"; readonly at: number; readonly run: string; readonly items: readonly FailedItem[] }
  /** The failed items of an ended batch are to be done by a run of their own. */
  | { readonly kind: "retried"; readonly at: number; readonly run: string; readonly from: string }
  /** A signal was answered: taken, or refused because the run was over. */
  | {
      readonly kind: "signaled";
      readonly at: number;
      readonly run: string;
      readonly signal: string;
      /** When it was first sent. */
      readonly sent: number;
      readonly taken: boolean;
    }
  /** Participants were called for a run that a schedule started: its input says so. */
  | {
      readonly kind: "scheduled";
      readonly at: number;
      readonly run: string;
      readonly definition: string;
      /** When it was due, ISO 8601. */
      readonly tick: string;
    };

/** Something was done to an instance, to the database or to the network between them. */
export interface FaultEvent {
  readonly kind: "fault";
  readonly fault: string;
  readonly at: number;
  /** When it was over; for a kill, when the process was gone. */
  readonly until: number;
  /** `<slot>.<life>`; null: everybody. `NATS`: the broker, which costs events and no owner. */
  readonly instance: string | null;
}

export class History {
  readonly events: Event[] = [];
  readonly #listeners: ((event: Event) => void)[] = [];

  add(event: Event): void {
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  onEvent(listener: (event: Event) => void): void {
    this.#listeners.push(listener);
  }
}
