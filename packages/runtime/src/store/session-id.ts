import { createHash } from "node:crypto";
import { RuntimeError } from "../errors.js";

/**
 * A login's id says where its session lies: its first 16 characters are a tag, the same one for every session of a subject,
 * so that a store of many partitions finds them, and what it knows of the subject, in one place. A session without a
 * subject has a tag of its own. An id with a colon, as contexts have, is its own tag. All of base64url; pure.
 */
const TAG_BYTES = 12;
const TAG_LENGTH = 16;

/** `unique` is 15 bytes that no other session has. 36 characters. */
export function sessionId(subject: string | null, unique: Uint8Array): string {
  const rest = Buffer.from(unique).toString("base64url");
  return (subject === null ? tagFrom(unique, 0) : subjectTag(subject)) + rest;
}

/** The tag of every id of the subject's sessions. 95 bits of SHA-256: two subjects do not share one. */
export function subjectTag(subject: string): string {
  return tagFrom(subject, 0x80);
}

/** What decides where a session lies. */
export function tagOf(id: string): string {
  return id.length > TAG_LENGTH && !isOfContext(id) ? id.slice(0, TAG_LENGTH) : id;
}

export function isOfContext(id: string): boolean {
  return id.includes(":");
}

/** Whether the id's tag is that of a subject. */
export function isOfSubject(id: string): boolean {
  return tagOf(id).length === TAG_LENGTH && SUBJECT_TAG.test(id);
}

/** The base64url digits whose highest bit is set. */
const SUBJECT_TAG = /^[g-z0-9_-]/;

/** Throws `input-invalid` when the id is not one of this subject's: its session would be found by nobody who looks for the subject. */
export function checkPlace(id: string, subject: string | null): void {
  if (subject === null || tagOf(id) === subjectTag(subject)) return;
  throw new RuntimeError(
    "input-invalid",
    "expected the id of a session to begin with its subject's tag; make it by sessionId",
    {
      what: "id",
    },
  );
}

/** The first bit tells tags of subjects from others, so that none is the other by chance. */
function tagFrom(text: string | Uint8Array, firstBit: number): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, TAG_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | firstBit;
  return bytes.toString("base64url");
}
