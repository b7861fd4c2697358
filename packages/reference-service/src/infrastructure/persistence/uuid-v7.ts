import { randomBytes } from "node:crypto";

/**
 * A maker of UUIDv7 (RFC 9562): they sort by creation, so that new rows land at the end of an index and a page's cursor
 * never skips one. Within a millisecond, or when the clock steps back, a counter in `rand_a` keeps the order.
 */
export function createUuidV7(clock: { now(): number }): () => string {
  let lastMs = 0;
  let counter = 0;
  return () => {
    const bytes = randomBytes(16);
    const nowMs = clock.now();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      // Starts in the lower half, so that there is room to count.
      counter = bytes.readUInt16BE(6) & 0x07ff;
    } else if (++counter > 0x0fff) {
      lastMs += 1;
      counter = 0;
    }
    bytes.writeUIntBE(lastMs, 0, 6);
    bytes.writeUInt16BE(0x7000 | counter, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}
