/** Where a message lies and how often it was given out, as the subject for its acknowledgment tells. */
export interface DeliveryPlace {
  /** Of the stream. */
  readonly sequence: number;
  readonly attempt: number;
  /** When it was stored, ns since the epoch. As text: it is larger than numbers are exact. */
  readonly storedAt: string;
}

/**
 * `$JS.ACK.<stream>.<consumer>.<attempt>.<sequence>.<consumer's sequence>.<time>.<pending>`; newer servers may put a domain and an
 * account before the stream, and a word at the end. Null: it is none.
 */
export function readAckSubject(subject: string): DeliveryPlace | null {
  const words = subject.split(".");
  if (words[0] !== "$JS" || words[1] !== "ACK" || words.length < 9) return null;
  const at = words.length === 9 ? 4 : 6;
  const [attempt, sequence, , storedAt] = words.slice(at);
  if (attempt === undefined || sequence === undefined || storedAt === undefined) return null;
  return { attempt: Number(attempt), sequence: Number(sequence), storedAt };
}
