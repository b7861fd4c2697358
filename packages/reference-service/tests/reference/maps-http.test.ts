/** A stage that maps over a list, as a client of the service sees it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asOperator, startService, type TestService } from "../integration/service.js";

const readers = [{ name: "ann" }, { name: "bob" }, { name: "cem" }];

describe("a mapped stage over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const run = async (input: object) =>
    (await service.call("POST", "/api/v1/sagas/mail_copies?wait=15", { input })).body;
  const steps = ({ steps }: { readonly steps: { name: string; status: string }[] }) =>
    steps.map(({ name, status }) => `${name} ${status}`);

  it("shows its items after it, each with what it returned", async () => {
    const body = await run({ readers });
    expect(steps(body)).toEqual([
      "mail completed",
      "items[0]/mail completed",
      "items[1]/mail completed",
      "items[2]/mail completed",
    ]);
    const references = body.output.map(({ reference }: { readonly reference: string }) => reference);
    expect(new Set(references).size).toBe(3);
    expect(body.steps.slice(1).map(({ output }: { output: { reference: string } }) => output.reference)).toEqual(
      references,
    );
    const { body: journal } = await service.call("GET", `/api/v1/runs/${body.id}/journal`, undefined, asOperator);
    const records = journal.items.flatMap((row: { readonly records: unknown[] }) => row.records);
    expect(records).toContainEqual({ kind: "expanded", step: "mail", items: readers });
    expect(records).toContainEqual({
      ...{ kind: "evaluated", step: "items[2]/mail" },
      input: { reader: "cem", parcel: 3, sender: "reference" },
    });
  });

  it("undoes the items that were done when one is refused", async () => {
    const body = await run({ readers, simulate: { "items[2]/mail": { status: 422, delay_ms: 50 } } });
    expect([body.status, steps(body)[0]]).toEqual(["compensated", "mail refused"]);
    const compensated = body.steps.map(({ compensation }: { readonly compensation: { status: string } | null }) =>
      compensation === null ? null : compensation.status,
    );
    expect(compensated).toEqual([null, "compensated", "compensated", null]);
    expect(body.error.message).toMatch(/^items\[2\]\/mail: /);
  });

  it("is skipped as a whole, and refuses what is no list", async () => {
    expect(steps(await run({ readers, pickup: true }))).toEqual(["mail skipped"]);
    expect((await run({ reader: readers })).error.message).toMatch(/expected a list, got nothing/);
    expect((await run({ readers: Array.from({ length: 501 }, () => readers[0]) })).error.message).toMatch(
      /expected a list of at most 500 items, got 501/,
    );
  });

  it("is in the definition's graph", async () => {
    const { body } = await service.call("GET", "/api/v1/definitions", undefined, asOperator);
    const definition = body.items.find(({ name }: { readonly name: string }) => name === "mail_copies");
    expect(definition.waves).toEqual([
      [
        expect.objectContaining({
          name: "mail",
          kind: "map",
          concurrency: 4,
          conditional: true,
          compensation: "/recall",
        }),
      ],
    ]);
  });
});
