/** What the HTTP interface needs to know of the configuration. */
export interface HttpSettings {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly production: boolean;
  readonly bodyLimitBytes: number;
  /** Proxies in front whose X-Forwarded-For is believed. */
  readonly trustedProxies: number;
  /** Who may start and read runs and use the entities. */
  readonly auth: "none" | "session" | "token";
  readonly operatorToken: string;
  /** What a session's token travels in. */
  readonly cookie: {
    readonly name: string;
    readonly sameSite: "strict" | "lax" | "none";
    readonly secure: boolean;
  };
  /** Longest life of a session, ms: the bound of a requested `ttl`. */
  readonly sessionLifetimeMs: number;
  /** Snapshots are taken: `/runs/{id}/checkpoints` exists. */
  readonly checkpoints: boolean;
  /** Stages react to each other's events, which `/asyncapi.json` then describes. */
  readonly choreographed: boolean;
  /** `/metrics` exists. */
  readonly metrics: boolean;
}
