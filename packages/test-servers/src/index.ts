export { freePort } from "./free-port.js";
export { missingPostgres, type Postgres, type PostgresOptions, type StopMode, startPostgres } from "./postgres.js";
