/**
 * What simulated services did: one durable entry per idempotency key, however often it was called. It is their barrier
 * too: a call that comes after its compensation has no effect. Errors: `store-unavailable`, `store-incompatible`.
 */
export interface Ledger {
  /** Has the effect if the key is new and not compensated, and counts the call otherwise. */
  record(entry: NewLedgerEntry): Promise<LedgerRecord>;
  /**
   * True when this attempt is to fail on purpose: fewer than `times` attempts under the key have so far. It is counted
   * durably in the same step, so that a restart neither repeats nor forgets the failures.
   */
  failOnPurpose(key: string, times: number): Promise<boolean>;
  /** In the order of the effects. Error: `input-invalid` for a cursor that is not of this list. */
  list(query: LedgerQuery): Promise<LedgerPage>;
  /** It opens by itself, also after close. Twice is once. */
  close(): Promise<void>;
}

export interface LedgerEntry {
  /** `<run id>:<stage>`, with `:compensate` behind it for the compensation. */
  readonly key: string;
  readonly run: string;
  readonly service: string;
  readonly stage: string;
  readonly kind: "forward" | "compensate";
  /** What the service answers with, the same for every call of the key. */
  readonly reference: string;
  /** When it had its effect, ms since the epoch. */
  readonly at: number;
  /** How often it was called, the first time included. */
  readonly calls: number;
}

export type NewLedgerEntry = Omit<LedgerEntry, "at" | "calls">;

export interface LedgerRecord {
  /** True when this call had the effect, false when an earlier one had it or it came too late. */
  readonly first: boolean;
  /** True for a forward call whose compensation is there: it has no effect, and when it is the first its entry is not kept. */
  readonly late: boolean;
  /** As it is kept. */
  readonly entry: LedgerEntry;
}

export interface LedgerQuery {
  readonly run?: string;
  /** Default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface LedgerPage {
  readonly items: readonly LedgerEntry[];
  readonly nextCursor: string | null;
}
