import { expect, it } from "vitest";
import { Connections } from "./connections.js";
import { withServerSettings } from "./server-settings.js";
import { postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

it("keeps what the url sets, but for what the store's writers set of the planner", async () => {
  const under = await open();
  const options = encodeURIComponent("-c search_path=theirs -c enable_seqscan=on -c work_mem=8MB");
  const connections = new Connections({ url: `${under.url}?options=${options}`, schema: under.schema });
  try {
    const settings = ["search_path", "work_mem", "enable_seqscan", "plan_cache_mode"];
    const sql = `select ${settings.map((name) => `current_setting('${name}') as ${name}`).join(", ")}`;
    expect(await connections.writer.query(sql)).toEqual([
      { search_path: "theirs", work_mem: "8MB", enable_seqscan: "off", plan_cache_mode: "force_generic_plan" },
    ]);
    expect(await connections.reader.query(sql)).toEqual([
      { search_path: "theirs", work_mem: "8MB", enable_seqscan: "on", plan_cache_mode: "auto" },
    ]);
  } finally {
    await connections.close();
    await under.close();
  }
});

it("leaves the rest of a url as it is, and a socket's path", () => {
  const url = "postgresql://user:p%40ss@host:5432/database?application_name=mine";
  expect(withServerSettings(url, "").connectionString).toBe(url);
  expect(new URL(withServerSettings(url, "-c jit=off").connectionString).searchParams.get("options")).toBe(
    "-c jit=off",
  );
  expect(withServerSettings("/var/run/postgresql database", "-c jit=off")).toEqual({
    connectionString: "/var/run/postgresql database",
    options: "-c jit=off",
  });
});
