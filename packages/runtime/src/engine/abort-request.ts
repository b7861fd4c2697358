/**
 * The request by which a unit of a choreographed run is told to undo what it did, among those of operators. Late: the time of the whole is
 * up, and what is under way is cut short.
 */
export function abortRequest(run: string, isLate: boolean): string {
  return `${isLate ? "abort-late" : "abort"}:${run}`;
}
