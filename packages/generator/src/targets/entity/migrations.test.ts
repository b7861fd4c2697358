// cspell:ignore schemaname
import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Rendered, renderHostile, renderReference, renderText } from "./rendered.test.support.js";

const models: readonly (readonly [string, Rendered])[] = [
  ["reference", renderReference()],
  ["hostile", renderHostile()],
];
const migration = ({ files }: Rendered, database: string, verb: "up" | "down"): string =>
  files.get(`migrations/${database}/0001_create_tables.${verb}.sql`) ?? "";

const ID = (n: number): string => `'0190b2f6-5c8a-7c3e-9d1f-${String(n).padStart(12, "0")}'`;
const CYCLE = `
  INSERT INTO chickens VALUES (${ID(1)}, 1, NULL, '2026-01-31T00:00:00.000Z', '2026-01-31T00:00:00.000Z');
  INSERT INTO eggs VALUES (${ID(2)}, 1, ${ID(1)}, '2026-01-31T00:00:00.000Z', '2026-01-31T00:00:00.000Z');
  UPDATE chickens SET egg_id = ${ID(2)};
  INSERT INTO people VALUES (${ID(3)}, 1, NULL, '2026-01-31T00:00:00.000Z', '2026-01-31T00:00:00.000Z');
  UPDATE people SET boss_id = id;`;

describe("SQLite", () => {
  test.each(models)("takes the %s tables, gives them up with rows in them, and takes them again", (name, rendered) => {
    const database = new Database(":memory:");
    database.exec("PRAGMA foreign_keys = ON");
    const tables = (): unknown[] => database.prepare("SELECT name FROM sqlite_master").all();
    database.exec(migration(rendered, "sqlite", "up"));
    expect(tables().length).toBeGreaterThan(rendered.model.entities.length);
    if (name === "hostile") database.exec(CYCLE);
    database.exec(`BEGIN; ${migration(rendered, "sqlite", "down")} COMMIT;`);
    expect(tables()).toEqual([]);
    database.exec(migration(rendered, "sqlite", "up"));
    database.close();
  });
});

describe("PostgreSQL", () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres({ fsync: false });
  }, 60_000);
  afterAll(() => postgres?.remove());

  test.each(models)("takes the %s tables, gives them up with rows in them, and takes them again", (name, rendered) => {
    postgres.create(name);
    const tables = (): number =>
      Number(postgres.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name));
    postgres.run(migration(rendered, "postgres", "up"), name);
    expect(tables()).toBe(rendered.model.entities.length);
    if (name === "hostile") postgres.run(CYCLE, name);
    postgres.run(migration(rendered, "postgres", "down"), name);
    expect(tables()).toBe(0);
    postgres.run(migration(rendered, "postgres", "up"), name);
  });

  test("gives every type its proper column", () => {
    postgres.create("types");
    postgres.run(migration(renderReference(), "postgres", "up"), "types");
    const sql =
      "SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_name = 'bound_volumes' ORDER BY ordinal_position";
    expect(postgres.run(sql, "types").split("\n")).toEqual([
      "id uuid",
      "revision bigint",
      "title text",
      "call_number text",
      "summary text",
      "page_count bigint",
      "word_count bigint",
      "price numeric",
      "in_print boolean",
      "edition_key uuid",
      "published_on date",
      "bound_at timestamp with time zone",
      "colophon jsonb",
      "binding text",
      "created_at timestamp with time zone",
      "updated_at timestamp with time zone",
    ]);
  });

  test("holds to what the config says by itself", () => {
    postgres.create("checks");
    postgres.run(migration(renderReference(), "postgres", "up"), "checks");
    const row = (n: number, values: Record<string, string> = {}): string => {
      const all = {
        id: ID(n),
        revision: "1",
        title: "'a'",
        call_number: `'AB-${n}'`,
        page_count: "1",
        price: "1",
        in_print: "true",
        ...values,
      };
      const columns = { binding: "'leather'", created_at: "now()", updated_at: "now()", ...all };
      return `INSERT INTO bound_volumes (${Object.keys(columns).join(", ")}) VALUES (${Object.values(columns).join(", ")});`;
    };
    postgres.run(row(1, { price: "99999.99", word_count: "9223372036854775807" }), "checks");
    const refused: Record<string, string>[] = [
      { title: "''" },
      { title: `'${"😀".repeat(201)}'` },
      { page_count: "0" },
      { word_count: "-1" },
      { price: "99999.990000000000000000001" },
      { binding: "'other'" },
      { call_number: "'AB-1'" },
      { id: "'x'" },
      { in_print: "NULL" },
    ];
    for (const values of refused)
      expect(() => postgres.run(row(2, values), "checks"), JSON.stringify(values)).toThrow(/ERROR/);
    postgres.run(row(2, { title: `'${"😀".repeat(200)}'` }), "checks");
  });

  test("as SQLite does, it takes 1.0 and 1.00 for one value where that must be unique", () => {
    const text = "domain: { entities: [{ name: Price, fields: [{ name: amount, type: decimal, unique: true }] }] }";
    const sql = (amount: string, n: number): string =>
      `INSERT INTO prices VALUES (${ID(n)}, 1, ${amount}, '2026-01-31T00:00:00.000Z', '2026-01-31T00:00:00.000Z');`;
    const pairs = [
      ["1.0", "1.00", false],
      ["100", "1", true],
      ["0", "0.0", false],
      ["10.10", "10.1", false],
      ["-5", "5", true],
    ] as const;
    for (const [index, [a, b, both]] of pairs.entries()) {
      postgres.create(`unique${index}`);
      postgres.run(migration(renderText(text), "postgres", "up") + sql(a, 1), `unique${index}`);
      const sqlite = new Database(":memory:");
      sqlite.exec(migration(renderText(text), "sqlite", "up") + sql(`'${a}'`, 1));
      const second = [() => postgres.run(sql(b, 2), `unique${index}`), () => sqlite.exec(sql(`'${b}'`, 2))];
      for (const insert of second) {
        if (both) expect(insert).not.toThrow();
        else expect(insert).toThrow(/unique/i);
      }
      sqlite.close();
    }
  });
});
