import { expect, test } from "vitest";
import { buildModel } from "../../build-model.js";
import { readConfig } from "../../spec/read.js";
import { sampleOfBatch, sampleOfSaga } from "./saga-sample.js";

function sample(...stages: string[]) {
  const text = `long_running: { tasks: [{ name: t, stages: [${stages.join(", ")}] }] }`;
  const model = buildModel(readConfig(Buffer.from(text), "clean-arch.yaml").config, { name: "sample", text });
  const [saga] = model.sagas;
  if (saga === undefined) throw new Error("expected a saga");
  return sampleOfSaga(saga);
}

const call = (name: string, more = ""): string => `{ name: ${name}, service: s, endpoint: /${name}${more} }`;

test.each([
  ["input.now", { now: true }],
  ["$not(input.later)", { later: false }],
  ["$not($exists(input.pickup))", {}],
  ["$exists(input.order.id)", { order: { id: "sample" } }],
  ["input.total > 100 and input.total < 500", { total: 101 }],
  ["100 >= input.total", { total: 100 }],
  ["input.country = 'DE' or input.tax != 0", { country: "DE", tax: 1 }],
  ["input.price * input.quantity > 5", { price: 1, quantity: 1 }],
])("an input for the condition %s", (when, input) => {
  expect(sample(call("one", `, when: "${when}"`))).toEqual({ input, answers: {}, signals: {} });
});

test("what a stage is sent, and the list it maps over, with items that have what is sent", () => {
  const mapped = call(
    "each",
    ", map: input.lines, max_items: 1, input: { sku: '${ item.sku }', size: '${ item.size + 1 }', note: '${ input.note }' }",
  );
  expect(sample(mapped)).toEqual({
    ...{ answers: {}, signals: {} },
    input: { lines: [{ sku: "sample", size: 1 }], note: "sample" },
  });
});

test("answers of stages and payloads of signals that later stages look into, and no others", () => {
  const found = sample(
    call("quote"),
    call("plain"),
    "{ name: decision, wait_for: approved, timeout: 1h }",
    call(
      "order",
      ", when: outputs.decision.yes, input: { price: '${ outputs.quote.price }', all: '${ outputs.plain }' }",
    ),
  );
  expect(found).toEqual({
    input: {},
    answers: { quote: { price: "sample" } },
    signals: { approved: { yes: true } },
  });
});

test("how long a timer is", () => {
  expect(sample("{ name: nap, sleep: '${ input.ms }' }")).toMatchObject({ input: { ms: 1_000 } });
});

test.each([
  ["map", ", map: '$filter(input.lines, function($line) { $line.qty > 0 })'"],
  ["when", ", when: '$sum(input.lines.qty) > 3'"],
  ["input", ", input: { at: '${ $fromMillis(input.at) }' }"],
])("it says which stage and key it makes nothing up for: %s", (key, more) => {
  expect(sample(call("one", more))).toEqual({ missing: `give the sample what one computes ${key} from` });
});

test("items of a batch, with what its stages look for in them and in each other's outputs", () => {
  const stages = [
    call("weigh", ", when: item.count > 2"),
    call("label", ", input: { of: '${ outputs.weigh.grams }', for: '${ input.day }' }"),
  ];
  const text = `long_running: { tasks: [{ name: t, type: batch, source: { service: s, endpoint: /all }, stages: [${stages.join(", ")}] }] }`;
  const model = buildModel(readConfig(Buffer.from(text), "clean-arch.yaml").config, { name: "sample", text });
  expect(model.batches.map(sampleOfBatch)).toEqual([
    { input: { day: "sample" }, answers: { weigh: { grams: "sample" } }, items: [{ count: 3 }, { count: 3 }] },
  ]);
});
