import type { PostgresDatabase } from "./database.js";

/** The database answers, and can be written: a standby, or a primary that was set aside, only reads. */
export async function checkPostgres({ pool }: PostgresDatabase): Promise<undefined> {
  const sql = "SELECT current_setting('transaction_read_only') AS read_only";
  const { rows } = await pool.query<{ read_only: string }>(sql);
  if (rows[0]?.read_only !== "off") throw new Error("the database is read-only");
}
