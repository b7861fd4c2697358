import type { SessionRecord } from "../store/session-store.js";
import type { Session } from "./manager.js";

/** A stored session as callers see it: without deadlines, owners and times of tokens, which are the store's business. */
export function toSession(record: SessionRecord): Session {
  const { id, kind, subject, data, revision, createdAt, touchedAt, expiresAt, signIn, device } = record;
  return { id, kind, subject, data, revision, createdAt, touchedAt, expiresAt, signIn, device };
}
