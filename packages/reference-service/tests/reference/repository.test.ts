import { afterEach, beforeEach, expect, test } from "vitest";
import type { BoundVolumeRepository } from "../../src/application/ports/bound-volume-repository.js";
import { boundVolumeUseCases } from "../../src/application/use-cases/bound-volume/bound-volume-use-cases.generated.js";
import type { BoundVolume } from "../../src/domain/bound-volume/bound-volume.generated.js";
import { decodeCursor, encodeCursor } from "../../src/interfaces/http/cursor.js";
import { type EntityService, startEntityService } from "../integration/entity-service.js";
import { execute } from "./execute.js";

let service: EntityService;
let repository: BoundVolumeRepository;
let one: BoundVolume;

beforeEach(async () => {
  service = await startEntityService();
  repository = service.repositories.boundVolume;
  one = await service.useCases.boundVolume.create({ title: "a", callNumber: "AB-0001", pageCount: 1, price: "1" });
});
afterEach(() => service.close());

test("replaces and removes the expected revision only", async () => {
  const changed = { ...one, title: "b", revision: 2 };
  expect(await repository.replace(changed, 7)).toBe(false);
  expect(await repository.find(one.id)).toEqual(one);
  expect(await repository.replace(changed, 1)).toBe(true);
  expect(await repository.replace(changed, 1)).toBe(false);
  expect(await repository.find(one.id)).toEqual(changed);

  expect(await repository.remove(one.id, 1)).toBe(false);
  expect(await repository.remove(one.id, 2)).toBe(true);
  expect(await repository.remove(one.id, null)).toBe(false);
  expect(await repository.find(one.id)).toBeNull();
});

/** Somebody else changes the entity between each reading and writing, so many times. */
function disturbed(times: number): BoundVolumeRepository {
  let left = times;
  return {
    ...repository,
    async find(id) {
      const found = await repository.find(id);
      if (found !== null && left-- > 0) {
        await repository.replace(
          { ...found, pageCount: found.pageCount + 1, revision: found.revision + 1 },
          found.revision,
        );
      }
      return found;
    },
  };
}

const useCasesOver = (over: BoundVolumeRepository) =>
  boundVolumeUseCases({ repository: over, clock: { now: () => 0 }, newId: () => one.id });

test("a change that names no revision starts over on what the others left, and gives up in the end", async () => {
  const changed = await useCasesOver(disturbed(3)).update(one.id, { title: "b" });
  expect(changed).toMatchObject({ title: "b", pageCount: 4, revision: 5 });
  await expect(useCasesOver(disturbed(99)).update(one.id, { title: "c" })).rejects.toMatchObject({
    code: "revision-moved",
  });
});

test("a change or deletion that names its revision loses to a faster one", async () => {
  const expectation = { revisions: [1] };
  const update = useCasesOver(disturbed(1)).update(one.id, { title: "b" }, expectation);
  await expect(update).rejects.toMatchObject({ code: "revision-moved" });
  const remove = useCasesOver(disturbed(1)).delete(one.id, { revisions: [2] });
  await expect(remove).rejects.toMatchObject({ code: "revision-moved" });
  expect(await repository.find(one.id)).toMatchObject({ title: "a", revision: 3 });
});

test("a fault of the database is no refusal", async () => {
  await execute(service, "DROP TABLE shelf_marks; DROP TABLE bound_volumes");
  await expect(repository.find(one.id)).rejects.toThrow(/no such table|does not exist/);
});

test("a cursor has one form only", () => {
  const cursor = encodeCursor(one.id);
  expect(decodeCursor(cursor)).toBe(one.id);
  const next = String.fromCharCode(cursor.charCodeAt(22) + 1);
  for (const forged of [
    `${cursor.slice(0, 22)}${next}`,
    `${cursor.slice(0, 22)}!`,
    ` ${cursor.slice(1)}`,
    `${cursor}=`,
  ]) {
    expect(() => decodeCursor(forged), forged).toThrow(/next_cursor/);
  }
});
