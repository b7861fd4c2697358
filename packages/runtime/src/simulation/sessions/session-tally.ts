import type { SessionCheckReport } from "./check-sessions.js";

/** Of every kind of call, the answers that the clients of many seeds must have met. */
const EXPECTED = [
  ...["create revision", "create exists", "create limit-reached"],
  ...["load revision", "load none", "load reused", "loadById revision", "loadById none"],
  ...["commit revision", "commit moved", "commit not-found"],
  ...["rotate revision", "rotate not-found", "rotate reused"],
  ...["revoke revision", "revoke none", "revokeSubject ended"],
];

/** Those that take a store's clock which is moved, or a grace that ends. */
const TIMED = new Set(["create limit-reached", "load reused", "rotate reused"]);

/** What the clients of many seeds did. */
export class SessionTally {
  readonly #answers = new Map<string, number>();
  operations = 0;
  unknown = 0;
  overlapping = 0;

  add({ operations, unknown, overlapping, answers }: SessionCheckReport): void {
    this.operations += operations;
    this.unknown += unknown;
    this.overlapping += overlapping;
    for (const [kind, count] of answers) this.#answers.set(kind, (this.#answers.get(kind) ?? 0) + count);
  }

  /** What was met less often than that. */
  missing(least: number, { timed = true } = {}): string[] {
    return EXPECTED.filter((kind) => timed || !TIMED.has(kind))
      .filter((kind) => (this.#answers.get(kind) ?? 0) < least)
      .map((kind) => `${kind}: ${this.#answers.get(kind) ?? 0}`);
  }
}
