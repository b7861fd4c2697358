import type { Json } from "../json.js";
import type { Participant } from "../participants/participant.js";
import type { Ports } from "../ports.js";
import type { BatchStore } from "../store/batch-store.js";
import type { BatchPlan } from "./batch-plan.js";
import type { Ownership } from "./ownership.js";

/** What the chunks of one batch share. */
export interface ChunkSurroundings {
  readonly plan: BatchPlan;
  readonly run: { readonly id: string; readonly input: Json };
  readonly store: BatchStore;
  readonly participants: Readonly<Record<string, Participant>>;
  readonly ports: Ports;
  /** Sends the same to the store until it answers; throws `store-unavailable` once what is in hand is lost. */
  readonly untilAnswered: <Value>(call: () => Promise<Value>) => Promise<Value>;
  /** Of what is in hand here. */
  readonly ownership: () => Ownership;
}
