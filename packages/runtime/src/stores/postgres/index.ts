export { createPostgresLedger, type PostgresLedgerOptions } from "./ledger.js";
