import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunStore } from "../../store/run-store.js";
import { bundleChildProgram, type ChildProgram } from "../../testing/child-program.test.support.js";
import { openDatabase } from "./database.js";
import { RUN_MIGRATIONS } from "./run-schema.js";
import { createSqliteRunStore } from "./run-store.js";

/** What a child process runs: `open` says what it sees, `append` appends until it is killed and says what is acknowledged. */
const CHILD = `
import { createSqliteRunStore } from ${JSON.stringify(fileURLToPath(new URL("run-store.ts", import.meta.url)))};

const [, , file, mode, key] = process.argv;
const run = (n) => ({
  id: key + "-" + n, tenant: "t", type: "saga", definition: "d", version: "v", key: mode === "open" ? "same" : null,
  inputHash: "h", businessKey: null, attributes: null, sessionId: null, queue: "q", partitionKey: null, priority: 0, input: {}, rootId: key + "-" + n,
  parentId: null, restartedFrom: null, claim: null,
});
// Told to start together, so that the opening is what they contend for.
await new Promise((resolve) => process.stdin.once("data", resolve));
const store = createSqliteRunStore({ file, busyTimeoutMs: 10_000 });
await store.open();
if (mode === "open") {
  const [result] = await store.create([run(1)]);
  const renewed = await store.renew({ worker: key, label: key, leaseMs: 60_000, runs: [] });
  console.log(result.kind + " " + renewed.kind);
  await store.close();
  process.exit(0);
}
await store.renew({ worker: key, label: key, leaseMs: 60_000, runs: [] });
await store.create(Array.from({ length: 20 }, (_, n) => run(n)));
const runs = (await store.claim({ worker: key, definitions: [{ name: "d", version: "v" }], limit: 20 })).map((claimed) => claimed.run.id);
for (let seq = 1; ; seq++) {
  const records = [{ kind: "completed", step: "s", attempt: 1, output: "x".repeat(500) }];
  const appends = runs.map((run) => ({ run, fence: 1, seq, appendId: run + "/" + seq, records, next: { kind: "keep" } }));
  const results = await store.append(appends);
  if (!results.every((result) => result.kind === "appended")) throw new Error(JSON.stringify(results));
  console.log("acknowledged " + seq);
}
`;

let program: ChildProgram;
beforeAll(async () => {
  program = await bundleChildProgram(CHILD);
});
afterAll(() => program.remove());

/** Reads until `enough` lines are there or the output ends. */
async function lines(child: ChildProcessWithoutNullStreams, enough: number): Promise<string[]> {
  const read: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    read.push(line);
    if (read.length === enough) break;
  }
  return read;
}

async function complaints(child: ChildProcessWithoutNullStreams): Promise<string> {
  let text = "";
  for await (const chunk of child.stderr) text += String(chunk);
  return text.replaceAll(/^.*ExperimentalWarning.*$|^.*--trace-warnings.*$/gm, "").trim();
}

async function reopened(file: string): Promise<RunStore> {
  const store = createSqliteRunStore({ file });
  await store.open();
  return store;
}

describe("an SQLite file and several processes", () => {
  it("is migrated by one of many that open it at once; they see one store and one active worker", async () => {
    const file = join(program.folder, "many.db");
    const children = Array.from({ length: 6 }, (_, index) => program.start([file, "open", `p${index}`]));
    const finished = children.map(async (child) => {
      const [seen, complaint] = await Promise.all([lines(child, 1), complaints(child)]);
      return complaint === "" ? seen[0] : complaint;
    });
    for (const child of children) child.stdin.write("go\n");
    const seen = (await Promise.all(finished)).map((line) => line?.split(" "));
    expect(seen.map((line) => line?.[0]).sort()).toEqual(["created", ...Array(5).fill("existing")]);
    expect(seen.map((line) => line?.[1]).sort()).toEqual(["active", ...Array(5).fill("standby")]);
    const db = openDatabase(file);
    const [migrated] = db.all("select count(*) as applied from clean_arch_migrations where component = 'runs'");
    expect(migrated?.applied).toBe(RUN_MIGRATIONS.length);
    db.close();
  });

  it.each([1, 7, 25])("keeps all that a process acknowledged before it was killed at its append %i", async (enough) => {
    const file = join(program.folder, `killed-${enough}.db`);
    const child = program.start([file, "append", "w"]);
    const exited = once(child, "exit");
    const complaint = complaints(child);
    child.stdin.write("go\n");
    const printed = await lines(child, enough);
    child.kill("SIGKILL");
    expect(await exited, await complaint).toEqual([null, "SIGKILL"]);
    expect(printed.at(-1)).toBe(`acknowledged ${enough}`);

    const store = await reopened(file);
    const { items } = await store.list({ limit: 100 });
    const journals = await Promise.all(items.map((run) => store.journal(run.id)));
    expect(journals.length).toBe(20);
    const lengths = journals.map((journal) => journal.length);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(enough);
    // A batch is one commit: all of its rows are there or none.
    expect(new Set(lengths).size).toBe(1);
    for (const journal of journals) expect(journal.map((row) => row.seq)).toEqual(journal.map((_, index) => index + 1));
    await store.close();
    const db = openDatabase(file);
    expect(Object.values(db.all("pragma integrity_check")[0] ?? {})).toEqual(["ok"]);
    db.close();
  });
});
