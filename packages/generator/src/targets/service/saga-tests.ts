/** For every workflow and batch a test that a project begins with: each stage fails, is done twice, is cancelled, and its process dies. */
import { commentText, literal } from "../../emit.js";
import type { JsonValue, Model } from "../../model.js";
import type { BatchModel, SagaModel } from "../../task-model.js";
import { code, importOf, json, print, type Source } from "../entity/source.js";
import type { TargetFile } from "../target-file.js";
import { batchConstant } from "./batch.js";
import { sagaConstant } from "./saga.js";
import { type BatchSample, type NoSample, type SagaSample, sampleOfBatch, sampleOfSaga } from "./saga-sample.js";

export function sagaTestFiles({ sagas, batches }: Model): TargetFile[] {
  const file = ({ name }: SagaModel | BatchModel, content: string): TargetFile => ({
    path: `tests/sagas/${name.kebab}.test.ts`,
    owner: "once",
    content,
  });
  return [
    ...sagas.map((saga) => file(saga, sagaTest(saga, childrenOf(saga, sagas)))),
    ...batches.map((batch) => file(batch, batchTest(batch))),
  ];
}

function sagaTest(saga: SagaModel, children: readonly SagaModel[]): string {
  const sample = sampleOfSaga(saga);
  const imports = [saga, ...children].map((each) => ({
    constant: sagaConstant(each),
    file: `${each.name.kebab}.saga.generated.js`,
  }));
  const options = "missing" in sample ? sample : entriesOf(saga, children, sample);
  return testText(saga.name.raw, sagaConstant(saga), imports, options);
}

function batchTest(batch: BatchModel): string {
  const sample = sampleOfBatch(batch);
  const constant = batchConstant(batch);
  const file = `${batch.name.kebab}.batch.generated.js`;
  return testText(
    batch.name.raw,
    constant,
    [{ constant, file }],
    "missing" in sample ? sample : batchEntries(batch, sample),
  );
}

function testText(
  name: string,
  tested: string,
  imported: readonly { readonly constant: string; readonly file: string }[],
  entries: readonly (readonly [string, Source])[] | NoSample,
): string {
  const head = `/** Yours: what ${commentText(name)} does when stages fail, are done twice, are cancelled, and when its process dies. */\n`;
  if ("missing" in entries)
    return `${head}import { test } from "vitest";\n\ntest.todo(${literal(`${name}: ${entries.missing}`)});\n`;
  const imports = imported.map(
    ({ constant, file }) => `import { ${constant} } from "../../src/application/sagas/${file}";\n`,
  );
  const options = print({ entries, open: true }, "const options: SagaTestOptions = ", ";");
  return `${head}${importOf(["type SagaTestOptions", "sagaChecks"], "@clean-arch/runtime/testing/sagas")}import { describe, test } from "vitest";
${imports.sort().join("")}
// Services are simulated here, once per key. Give \`participants\` to test your own, and \`afterEach\` to judge what they leave behind.
${options}

describe(${literal(name)}, () => {
  for (const check of sagaChecks(${tested}, options)) test(check.name, check.run);
});
`;
}

function batchEntries(
  batch: BatchModel,
  { input, answers, items }: BatchSample,
): readonly (readonly [string, Source])[] {
  return [
    ["input", json(input)],
    ...(Object.keys(answers).length > 0 ? [["answers", json(answers)] satisfies [string, Source]] : []),
    ...(items === null ? [] : [["items", { items: items.map(itemSource) }] satisfies [string, Source]]),
    ...timeoutEntry(batch),
  ];
}

/** The formatter gives each of several objects with several fields lines of its own. */
function itemSource(item: JsonValue): Source {
  const source = json(item);
  return "entries" in source && source.entries.length > 1 ? { ...source, open: true } : source;
}

/** As the settings have it: the runtime's own default may be over before a saga's sleeps and waits are. */
function timeoutEntry({ timeoutWritten, timeoutMs }: SagaModel | BatchModel): readonly (readonly [string, Source])[] {
  return timeoutWritten ? [] : [["config", json({ saga: { timeoutMs } })]];
}

function entriesOf(
  saga: SagaModel,
  children: readonly SagaModel[],
  sample: SagaSample,
): readonly (readonly [string, Source])[] {
  const { input, answers, signals } = sample;
  const isNamed = (values: object): boolean => Object.keys(values).length > 0;
  return [
    ["input", json(input)],
    ...(isNamed(answers) ? [["answers", json(answers)] satisfies [string, Source]] : []),
    ...(isNamed(signals) ? [["signals", json(signals)] satisfies [string, Source]] : []),
    ...(children.length > 0
      ? [["definitions", { items: children.map((child) => code(sagaConstant(child))) }] satisfies [string, Source]]
      : []),
    ...timeoutEntry(saga),
  ];
}

/** Sagas that its stages run, and that those run, each once. */
function childrenOf(saga: SagaModel, sagas: readonly SagaModel[]): readonly SagaModel[] {
  const found = new Set<SagaModel>();
  const look = ({ waves }: SagaModel): void => {
    for (const stage of waves.flatMap(({ stages }) => stages)) {
      const child = stage.kind === "child" ? sagas.find(({ name }) => name.raw === stage.saga) : undefined;
      if (child === undefined || found.has(child)) continue;
      found.add(child);
      look(child);
    }
  };
  look(saga);
  return [...found];
}
