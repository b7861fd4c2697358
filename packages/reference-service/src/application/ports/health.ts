/** What readiness asks each dependency. */
export interface Dependency {
  /** As shown at `/health/ready`: `database`, `sessions`, `runs`. */
  readonly name: string;
  /** Resolves to a short remark (`standby`) or nothing; rejects when the dependency does not answer. */
  check(): Promise<string | undefined>;
}
