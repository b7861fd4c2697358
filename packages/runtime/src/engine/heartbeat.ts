import { isObject, type Json } from "../json.js";
import type { JournalRecord } from "./records.js";

/** A sign of life from elsewhere, as it lies in the inbox. */
export interface HeartbeatPayload {
  readonly [key: string]: Json;
  readonly stage: string;
  readonly attempt: number;
  readonly details?: Json;
}

/** Null: what lies there was written by nobody here. */
export function heartbeatOf(payload: Json): HeartbeatPayload | null {
  if (!isObject(payload) || typeof payload.stage !== "string" || typeof payload.attempt !== "number") return null;
  return payload as HeartbeatPayload;
}

/** The record that takes it in, whatever attempt it is of: the message is consumed with it. */
export function recordHeartbeat(payload: Json): JournalRecord[] {
  const heartbeat = heartbeatOf(payload);
  if (heartbeat === null) return [];
  const { stage: step, attempt, details } = heartbeat;
  return [{ kind: "heartbeat", step, attempt, ...(details !== undefined && { details }) }];
}
