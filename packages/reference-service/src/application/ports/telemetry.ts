/** What an interface reports of itself. Names of `route` are patterns (`/api/v1/runs/:id`), never raw paths. */
export interface Telemetry {
  request(facts: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  /** Prometheus text format 0.0.4. */
  text(): Promise<string>;
}
