/** One value that does not fit: where it was written, its key, what was expected and what was got. */
export interface ConfigIssue {
  /** `configs/app.yaml` or `environment variable HTTP_PORT`. */
  readonly source: string;
  readonly key: string;
  readonly expected: string;
  readonly got: string;
}

/** The service refuses to start; every issue is named at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "config-invalid";
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    const lines = issues.map(
      ({ source, key, expected, got }) => `  ${source}: ${key}: expected ${expected}, got ${got}`,
    );
    super(`the configuration does not fit:\n${lines.join("\n")}`);
    this.issues = issues;
  }
}
