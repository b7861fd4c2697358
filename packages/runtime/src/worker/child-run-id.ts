import { createHash } from "node:crypto";

const UUID = /^([0-9a-f]{8})-([0-9a-f]{4})-/;

/**
 * The id of the run that a step starts: the same each time, so that it is started once. A UUIDv8 (RFC 9562) with the time of
 * its parent's id, so that new rows land near the end of an index, and for the rest a hash of `key`.
 */
export function childRunId(parent: string, key: string): string {
  const hash = createHash("sha256").update(`${parent}:${key}`).digest("hex");
  const [, high = hash.slice(20, 28), low = hash.slice(28, 32)] = UUID.exec(parent) ?? [];
  const variant = ((Number.parseInt(hash.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  return `${high}-${low}-8${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(8, 20)}`;
}

/** The id of the run that undoes a child that has ended. */
export function undoRunId(child: string): string {
  return childRunId(child, "undo");
}
