import { Problem } from "./problem.js";

/** The key of a request's `Idempotency-Key` header; undefined without one. */
export function idempotencyKeyOf(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === "string" && /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(header)) return header;
  throw new Problem(400, "malformed-header", "Expected an Idempotency-Key of 1 to 255 printable ASCII characters.");
}
