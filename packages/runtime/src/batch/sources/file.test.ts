import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Json } from "../../json.js";
import type { ItemSource } from "../item-source.js";
import { csvSource, linesSource } from "./file.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "batch-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function fileOf(text: string | Uint8Array): Promise<string> {
  const file = join(folder, "items");
  await writeFile(file, text);
  return file;
}

const { signal } = new AbortController();

/** Ahead, by so many; each page is read again at its place, and has to be the same. */
async function readAll<Item>(source: ItemSource<Item>, limit: number) {
  const all: [string, Item][] = [];
  for (let after: Json = null; ; ) {
    const page = await source.read({ after, until: null, limit, input: {}, signal });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    const again = await source.read({ after, until: page.next ?? page.last ?? null, limit, input: {}, signal });
    expect(again.items).toEqual(page.items);
    all.push(...page.items.map(({ key, item }): [string, Item] => [key, item]));
    if (page.next === null) return all;
    after = page.next;
  }
}

describe("lines of a file", () => {
  it("are items whatever their ends are; empty ones are none", async () => {
    const file = await fileOf("\uFEFFone\r\ntwo\n\nthree ✓\nfour");
    const items: readonly [string, string][] = [["1", "one"], ["2", "two"], ["4", "three ✓"], ["5", "four"]];
    for (const limit of [1, 2, 3, 10]) expect(await readAll(linesSource(file), limit)).toEqual(items);
  });

  it("are read from where a chunk begins, over many blocks of the file", async () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index} ${"x".repeat(index % 60)}`);
    const all = await readAll(linesSource(await fileOf(`${lines.join("\n")}\n`)), 700);
    expect(all.map(([, line]) => line)).toEqual(lines);
    expect(all.at(-1)?.[0]).toBe("5000");
  });

  it("may be none", async () => {
    expect(await readAll(linesSource(await fileOf("")), 5)).toEqual([]);
    expect(await readAll(linesSource(await fileOf("\n\n")), 1)).toEqual([]);
  });

  it.each([
    ["the file is not there", null, "ENOENT"],
    ["it is no UTF-8", new Uint8Array([0x61, 0x0a, 0xff, 0xfe, 0x0a]), "expected UTF-8"],
    ["one is over a mebibyte", "x".repeat(1_200_000), "lines of at most"],
  ])("are refused when %s", async (_, text, message) => {
    const file = text === null ? join(folder, "none") : await fileOf(text);
    await expect(readAll(linesSource(file), 5)).rejects.toThrow(message);
  });
});

describe("records of a CSV file", () => {
  it("have quotes, commas and line ends in their fields", async () => {
    const file = await fileOf('id,name\r\n1,plain\r\n2,"a, ""b""\r\nc"\r\n3,\r\n4,last');
    const records = [
      { id: "1", name: "plain" },
      { id: "2", name: 'a, "b"\r\nc' },
      { id: "3", name: "" },
      { id: "4", name: "last" },
    ];
    for (const limit of [1, 2, 10]) {
      const all = await readAll(csvSource(file, "id"), limit);
      expect(all).toEqual(records.map((record) => [record.id, record]));
    }
    expect((await readAll(csvSource(file), 10)).map(([key]) => key)).toEqual(["1", "2", "3", "4"]);
  });

  it.each([
    ["have another length than the header", "a,b\n1,2\n3\n", "expected 2 fields"],
    ["have an open quote", 'a,b\n1,"2\n', "end of a quoted field"],
    ["have a quote within a field", 'a,b\n1,x"y"\n', "quotes around a whole field"],
    ["have something behind a quote", 'a,b\n1,"x"y\n', "a comma after a quoted field"],
    ["have no header", "", "expected a header"],
  ])("are refused when they %s", async (_, text, message) => {
    await expect(readAll(csvSource(await fileOf(text)), 5)).rejects.toThrow(message);
  });
});
