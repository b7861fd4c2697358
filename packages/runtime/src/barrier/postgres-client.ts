/** The least that the barrier needs of a pool of `pg`. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
}

/** The least that it needs of a client of that pool. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  /** True: the connection is not fit for further use. */
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

export interface PostgresResult {
  readonly rows: readonly unknown[];
  readonly rowCount: number | null;
}

/** What `connect` of a given pool resolves with; the first pattern sees through the overload that takes a callback. */
export type ClientOf<Pool> = Pool extends {
  connect: { (): Promise<infer Client>; (callback: infer _Callback): void };
}
  ? Client
  : Pool extends { connect(): Promise<infer Client> }
    ? Client
    : PostgresClient;
