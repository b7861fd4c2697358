/** A bug that is planted in the text of the source. */
export interface Mutant {
  readonly name: string;
  /** From the repository's root. Several: the same change in each. */
  readonly files: readonly string[];
  /** Found exactly once in each file, unless `everywhere`. */
  readonly find: string;
  readonly replace: string;
  readonly everywhere?: true;
  /** Test files; one failing test in any of them kills the mutant. */
  readonly tests: readonly string[];
  /** Only tests whose names match. */
  readonly only?: string;
}
