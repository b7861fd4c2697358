/** One behavior of a saga, for whatever runs tests: `test(check.name, check.run)`. */
export interface SagaCheck {
  readonly name: string;
  /** Rejects when the saga does not behave so, with what was expected and seen and the run's journal (`SagaCheckFailed`). */
  readonly run: () => Promise<void>;
}
