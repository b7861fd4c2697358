import { expect, it } from "vitest";
import { PagedSource } from "./paged-source.js";

const source = new PagedSource({ seed: 1, least: 20, most: 60 });

it("gives all of a run's items in pages, and the same again from any place", () => {
  const ids = source.itemsOf("run");
  const read: string[] = [];
  let cursor: string | null = null;
  do {
    const { page } = source.answer("run", { cursor, limit: 7 }, true);
    expect(page.items.length).toBeLessThanOrEqual(7);
    expect(source.answer("run", { cursor, limit: 7 }, true).page).toEqual(page);
    read.push(...page.items.map(({ id }) => id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(read).toEqual(ids);
});

it("gives runs different numbers of items, within its bounds", () => {
  const counts = Array.from({ length: 50 }, (_, index) => source.itemsOf(`run ${index}`).length);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(20);
  expect(Math.max(...counts)).toBeLessThanOrEqual(60);
  expect(new Set(counts).size).toBeGreaterThan(10);
});

it("is unwell now and then, and never once all is calm", () => {
  const statuses = (calm: boolean) => Array.from({ length: 200 }, () => source.answer("run", {}, calm).status);
  expect(new Set(statuses(false))).toEqual(new Set([200, 500, 503]));
  expect(new Set(statuses(true))).toEqual(new Set([200]));
});
