import { RuntimeError } from "../errors.js";
import type { SessionRecord } from "./session-store.js";

/** A place in the list of sessions, newest first: after the session created then, with that id. */
export interface SessionPlace {
  readonly createdAt: number;
  readonly id: string;
}

/** Opaque text that names the place after `session`; it stays valid when sessions come and go. */
export function encodeSessionCursor({ createdAt, id }: Pick<SessionRecord, "createdAt" | "id">): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString("base64url");
}

/** Throws `input-invalid` for a cursor that no list gave. */
export function decodeSessionCursor(cursor: string): SessionPlace {
  try {
    const [createdAt, id] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
    if (Number.isSafeInteger(createdAt) && typeof id === "string") return { createdAt: createdAt as number, id };
  } catch {
    // Falls through: what does not parse is refused like what parses to something else.
  }
  throw new RuntimeError(
    "input-invalid",
    "expected a cursor taken from the previous page; leave it out for the first page",
    {
      what: "cursor",
    },
  );
}
