/** Cursors: opaque to clients, the id after which the next page begins. Rows inserted meanwhile do not shift it. */
import { Refusal } from "../../application/errors.js";

const VERSION = 1;

export function encodeCursor(id: string): string {
  return Buffer.from([VERSION, ...Buffer.from(id.replaceAll("-", ""), "hex")]).toString("base64url");
}

/** Throws a `Refusal` for anything that `encodeCursor` did not make. */
export function decodeCursor(cursor: unknown): string {
  const bytes = typeof cursor === "string" && cursor.length === 23 ? Buffer.from(cursor, "base64url") : null;
  if (bytes?.length === 17 && bytes[0] === VERSION) {
    const hex = bytes.toString("hex", 1);
    const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    if (encodeCursor(id) === cursor) return id;
  }
  throw new Refusal("cursor-invalid", "Expected the next_cursor of an earlier page.");
}
