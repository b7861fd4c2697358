import { runtimePg } from "./runtime-pg.js";

/** What one saga of five steps writes: a row as it starts, and one per step. */
const ROWS = 6;
const SAMPLES = 400;

/**
 * The time of six single-row inserts, each committed before the next is sent, on one connection, into a table of the journal's shape
 * (its columns, defaults and primary key), ms. The rows are the journal's own, as an earlier replay left them, and the statement is
 * prepared.
 */
export async function sixCommits(databaseUrl: string): Promise<number[]> {
  const { Client } = runtimePg();
  const client = new Client({ connectionString: databaseUrl, application_name: "six commits" });
  await client.connect();
  try {
    await client.query("create table clean_arch.six (like clean_arch.journal including all)");
    const { rows } = await client.query({
      text: "select * from clean_arch.journal order by run, seq limit $1",
      values: [ROWS * SAMPLES],
      rowMode: "array",
    });
    const { fields } = await client.query("select * from clean_arch.journal limit 0");
    const places = fields.map((_, index) => `$${index + 1}`).join(", ");
    const text = `insert into clean_arch.six (${fields.map(({ name }) => name).join(", ")}) values (${places})`;
    const times: number[] = [];
    for (let at = 0; at + ROWS <= rows.length; at += ROWS) {
      const begin = performance.now();
      for (const values of rows.slice(at, at + ROWS)) await client.query({ name: "insert", text, values });
      times.push(performance.now() - begin);
    }
    if (times.length === 0) throw new Error("expected rows in the journal, got none; replay a recording first");
    return times;
  } finally {
    await client.end();
  }
}
