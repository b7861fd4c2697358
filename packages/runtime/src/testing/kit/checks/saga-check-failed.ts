import type { JournalRow } from "../../../engine/records.js";
import type { TestCall } from "../call-log.js";
import { journalText } from "../journal-text.js";

export interface FailedAt {
  readonly saga: string;
  readonly check: string;
  readonly journal: readonly JournalRow[];
  readonly calls: readonly TestCall[];
}

/** A check of a saga does not hold: which one, what was expected and seen, what participants were asked, and the run's journal. */
export class SagaCheckFailed extends Error {
  override readonly name = "SagaCheckFailed";

  constructor(message: string, { saga, check, journal, calls }: FailedAt, options?: ErrorOptions) {
    const asked = calls.map(({ at, stage, direction, attempt, outcome, key, result }) => {
      const act = direction === "forward" ? stage : `undo ${stage} (${outcome})`;
      return `  ${new Date(at).toISOString()}  ${act} #${attempt}: ${result}, key ${key}`;
    });
    const told = `journal:\n${journalText(journal) || "  empty"}\ncalls:\n${asked.join("\n") || "  none"}`;
    super(`saga "${saga}", check "${check}": ${message}\n${told}`, options);
  }
}
