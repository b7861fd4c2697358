/** What a run over a project tells about what it must not touch: the user's files, migrations, data. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

import { main } from "../cli.js";
import { exampleText, type Ran, snapshot, temporaryFolder } from "../fixture.test.support.js";
import { renderTargets } from "../targets/index.js";
import { readReferenceService, type Template } from "../template.js";

const template: Template = {
  ...readReferenceService(fileURLToPath(new URL("../../../reference-service/", import.meta.url))),
  runtime: { version: "0.0.0", fileName: "runtime.tgz", bytes: new Uint8Array(), integrity: "" },
};
const EXAMPLE = exampleText("example-config-session.yaml");
const LINE = EXAMPLE.indexOf("    - name: OrderLine");

let root: ReturnType<typeof temporaryFolder>;
let out: string;

beforeEach(async () => {
  root = temporaryFolder();
  out = join(root.path, "project");
  expect(await generate(EXAMPLE)).toMatchObject({ code: 0, err: "" });
});
afterEach(() => root.remove());

async function generate(text: string, ...more: string[]): Promise<Ran> {
  const config = join(root.path, "config.yaml");
  writeFileSync(config, text);
  const said: string[] = [];
  const told: string[] = [];
  const code = await main(["--config", config, "--out", out, ...more], {
    out: (chunk) => void said.push(chunk),
    err: (chunk) => void told.push(chunk),
    rendering: { loadTemplate: () => template, render: renderTargets },
  });
  return { code, out: said.join(""), err: told.join("").replaceAll(`${out}/`, "") };
}

const messages = (err: string): string[] =>
  err
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/:1:1: warning ([a-z-]+): .*/, " $1"));

test("the same config again changes nothing and says nothing", async () => {
  const before = snapshot(out);
  expect(await generate(EXAMPLE)).toMatchObject({ code: 0, err: "" });
  expect(snapshot(out)).toEqual(before);
});

test("an entity that gains a field: its migration stays, and the one to write is named", async () => {
  const migration = readFileSync(join(out, "migrations/sqlite/0001_create_tables.up.sql"), "utf8");
  const changed = EXAMPLE.replace(
    "{ name: note, type: text }",
    "{ name: priority, type: integer, required: true }",
  ).replace("min: 1", "min: 2");
  const { code, err } = await generate(changed);
  expect(code).toBe(0);
  expect(err.split("\n")[0]).toBe(
    "migrations:1:1: warning migration-needed: expected a migration for Order.priority added, Order.note removed, OrderLine.quantity changed, got only those of before: they are yours and stay as they are; write migrations/sqlite/0002_<name>.up.sql and migrations/postgres/0002_<name>.up.sql, each with its .down.sql",
  );
  expect(messages(err).slice(1)).toEqual([
    "tests/integration/order-crud.test.ts outdated-file",
    "tests/integration/order-line-crud.test.ts outdated-file",
  ]);
  expect(readFileSync(join(out, "migrations/sqlite/0001_create_tables.up.sql"), "utf8")).toBe(migration);
  expect((await generate(changed)).err).toBe("");
});

test("an entity added and an index changed are changes of tables too; --diff and --dry-run say the same", async () => {
  const invoice = "    - name: Invoice\n      fields: [{ name: number, type: string }]\n";
  const changed = `${EXAMPLE.slice(0, LINE)}${invoice}${EXAMPLE.slice(LINE)}`.replace(
    "fields: [customer_id]",
    "fields: [status]",
  );
  for (const flags of [["--diff"], ["--dry-run"], []]) {
    const { err } = await generate(changed, ...flags);
    expect(err).toContain("expected a migration for the indexes of Order changed, Invoice added, got");
  }
});

test("what an entity and a local service leave behind is yours, stays, and is named", async () => {
  const end = EXAMPLE.indexOf("# A service without a url");
  const changed = `${EXAMPLE.slice(0, LINE)}${EXAMPLE.slice(end)}`.replace(
    "order_service: { transport: local }",
    "order_service: {}",
  );
  const { code, err } = await generate(changed);
  expect(code).toBe(0);
  expect(err).toContain("expected a migration for OrderLine removed");
  expect(messages(err).filter((one) => one.endsWith("left-over-file"))).toEqual([
    "src/application/handlers/order-service/validate.ts left-over-file",
    "src/application/ports/order-line-repository.ts left-over-file",
    ...["create-order-line", "delete-order-line", "get-order-line", "list-order-lines", "update-order-line"].map(
      (name) => `src/application/use-cases/order-line/${name}.ts left-over-file`,
    ),
    "src/domain/order-line/order-line.ts left-over-file",
    "src/infrastructure/persistence/postgres/order-line-repository.ts left-over-file",
    "src/infrastructure/persistence/sqlite/order-line-repository.ts left-over-file",
    "tests/integration/order-line-crud.test.ts left-over-file",
  ]);
  expect(existsSync(join(out, "src/domain/order-line/order-line.ts"))).toBe(true);
  expect(existsSync(join(out, "src/domain/order-line/order-line.generated.ts"))).toBe(false);
});

test("another name moves the database, unless the config keeps it", async () => {
  const renamed = EXAMPLE.replace("name: order-service", "name: shop-service");
  const { err } = await generate(renamed, "--dry-run");
  expect(err).toBe(
    "configs/app.yaml:1:1: warning database-moved: expected the database where it was, data/order-service.db, got data/shop-service.db; move the file, or set database.url to file:data/order-service.db\n",
  );
  expect((await generate(`${renamed}\ndatabase: { url: "file:data/order-service.db" }\n`)).err).toBe("");
  expect(readFileSync(join(out, "configs/app.yaml"), "utf8")).toContain("url: file:data/order-service.db");
});

test("a server in the place of the file leaves the data behind, which is said", async () => {
  const { err } = await generate(`${EXAMPLE}\ndatabase: { driver: postgres }\n`, "--dry-run");
  expect(err).toBe(
    "configs/app.yaml:1:1: warning database-moved: expected the database where it was, data/order-service.db, got a PostgreSQL server; move the data, or set database.url to file:data/order-service.db\n",
  );
});
