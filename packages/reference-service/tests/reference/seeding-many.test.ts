/** Many made-up entities, with values of the caller's choice; and the conditions by which batches find them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadSettings } from "../../src/infrastructure/config/load.js";
import type { Settings } from "../../src/infrastructure/config/settings.js";
import { createLogger } from "../../src/infrastructure/logging/logger.js";
import { sampleValue } from "../../src/infrastructure/seeding/sample-values.js";
import { runSeed } from "../../src/infrastructure/seeding/seed-command.js";
import { startEntityService } from "../integration/entity-service.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
let file: string;
let settings: Settings;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "seeding-"));
  file = join(folder, "test.db");
  settings = { ...loadSettings(root, { HTTP_AUTH: "none" }), database: { driver: "sqlite", file }, production: false };
});
afterAll(() => rmSync(join(file, ".."), { recursive: true }));

async function seed(entity: string, count: number, ...set: string[]): Promise<string[]> {
  const lines: string[] = [];
  await runSeed(settings, { entity, count, set }, createLogger("test", "silent"), (line) => lines.push(line));
  return lines;
}

test("the values that are set are those of all, the others vary, and conditions find them", async () => {
  await expect(seed("ShelfMark", 1)).rejects.toThrow(
    "expected something in bound_volumes that a shelf_mark can refer to, got none; seed it first",
  );
  expect(await seed("BoundVolume", 2_345, "binding=leather", "page_count=7", "inPrint=false")).toEqual([
    expect.stringMatching(/^2345 new in bound_volumes, in [0-9.]+ s$/),
  ]);
  await seed("bound-volume", 5, "word_count=12", "summary=none");
  await seed("shelf_mark", 1_200);

  const service = await startEntityService(file);
  try {
    const { boundVolume, shelfMark } = service.repositories;
    const leather = { binding: "leather", inPrint: false };
    expect(await boundVolume.count()).toBe(2_350);
    expect(await boundVolume.count(leather)).toBe(2_345);
    expect(await boundVolume.count({ wordCount: 12n, summary: "none" })).toBe(5);
    expect(await boundVolume.count({ binding: "paperback" })).toBe(0);
    expect(await shelfMark.count({ companionId: null })).toBe(1_200);

    const first = await boundVolume.page({ limit: 2_000, after: null, where: leather });
    const rest = await boundVolume.page({ limit: 2_000, after: first.next, where: leather });
    const all = [...first.items, ...rest.items];
    expect([all.length, rest.next]).toEqual([2_345, null]);
    expect(new Set(all.map(({ callNumber }) => callNumber)).size).toBe(2_345);
    expect(all.every(({ pageCount, binding, inPrint }) => pageCount === 7 && binding === "leather" && !inPrint)).toBe(
      true,
    );
    const [from, until] = [all[9]?.id ?? "", all[14]?.id ?? ""];
    const between = await boundVolume.page({ limit: 50, after: from, until, where: leather });
    expect([between.items, between.next]).toEqual([all.slice(10, 15), null]);
    await expect(boundVolume.page({ limit: 1, after: null, where: { color: "red" } })).rejects.toThrow(
      "expected a property of bound_volumes, got color",
    );
  } finally {
    await service.close();
  }
});

test("what does not fit is refused with the field's name, and nothing of it is there", async () => {
  await expect(seed("bound_volume", 1, "page_count=0")).rejects.toThrow(/pageCount: expected/);
  await expect(seed("bound_volume", 1, "page_count=many")).rejects.toThrow("expected --set with a value of type");
  await expect(seed("bound_volume", 2, "call_number=ZZ-0001")).rejects.toThrow(
    "Something in bound_volumes has values that have to be unique already.",
  );
});

describe("made-up values", () => {
  test.each([
    [{ type: "integer", required: true, min: -3, max: 2 }, [-3, -2, -1, 0, 1, 2, -3]],
    [{ type: "integer", required: true, max: -5 }, [-1_000_005, -1_000_004]],
    [{ type: "bigint", required: true, min: "9007199254740993" }, [9007199254740993n, 9007199254740994n]],
    [{ type: "decimal", required: true, min: "0.25", max: "0.5" }, ["0.25", "0.25"]],
    [{ type: "decimal", required: true, min: "-1.5", max: "1" }, ["-1"]],
    [{ type: "boolean", required: true }, [true, false, true]],
    [{ type: "enum", required: true, values: ["a", "b"] }, ["a", "b", "a"]],
    [{ type: "date", required: true }, ["2000-01-01", "2000-01-02"]],
    [
      { type: "string", required: true, minLength: 9, maxLength: 12 },
      ["two 0", "two 1"].map((text) => text.padStart(9, "x")),
    ],
  ] as const)("stay within the field's bounds: %j", (field, expected) => {
    expect(expected.map((_, n) => sampleValue("two", field, n, undefined))).toEqual(expected);
  });

  test("of a pattern count through its places", () => {
    const field = { type: "string", required: true, pattern: "^[A-Z][0-9]$" } as const;
    const values = [0, 9, 10, 259].map((n) => sampleValue("x", field, n, { text: "B7", varies: [0, 1] }));
    expect(values).toEqual(["A0", "A9", "B0", "Z9"]);
    expect(sampleValue("x", field, 0, undefined)).toBeUndefined();
  });
});
