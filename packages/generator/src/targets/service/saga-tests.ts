/** For every workflow a test that a project begins with: each stage fails, is done twice, is cancelled, and its process dies. */
import { commentText, literal } from "../../emit.js";
import type { Model } from "../../model.js";
import type { SagaModel } from "../../task-model.js";
import { code, importOf, json, print, type Source } from "../entity/source.js";
import type { TargetFile } from "../target-file.js";
import { sagaConstant } from "./saga.js";
import { type SagaSample, sampleOfSaga } from "./saga-sample.js";

export function sagaTestFiles({ sagas }: Model): TargetFile[] {
  return sagas.map((saga) => {
    const path = `tests/sagas/${saga.name.kebab}.test.ts`;
    return { path, owner: "once", content: testText(saga, childrenOf(saga, sagas)) };
  });
}

function testText(saga: SagaModel, children: readonly SagaModel[]): string {
  const { raw } = saga.name;
  const head = `/** Yours: what ${commentText(raw)} does when stages fail, are done twice, are cancelled, and when its process dies. */\n`;
  const sample = sampleOfSaga(saga);
  if ("missing" in sample)
    return `${head}import { test } from "vitest";\n\ntest.todo(${literal(`${raw}: ${sample.missing}`)});\n`;
  const imports = [saga, ...children].map(
    (each) =>
      `import { ${sagaConstant(each)} } from "../../src/application/sagas/${each.name.kebab}.saga.generated.js";\n`,
  );
  const options = print(
    { entries: entriesOf(saga, children, sample), open: true },
    "const options: SagaTestOptions = ",
    ";",
  );
  return `${head}${importOf(["type SagaTestOptions", "sagaChecks"], "@clean-arch/runtime/testing/sagas")}import { describe, test } from "vitest";
${imports.sort().join("")}
// Services are simulated here, once per key. Give \`participants\` to test your own, and \`afterEach\` to judge what they leave behind.
${options}

describe(${literal(raw)}, () => {
  for (const check of sagaChecks(${sagaConstant(saga)}, options)) test(check.name, check.run);
});
`;
}

function entriesOf(saga: SagaModel, children: readonly SagaModel[], sample: SagaSample): [string, Source][] {
  const { input, answers, signals } = sample;
  const isNamed = (values: object): boolean => Object.keys(values).length > 0;
  return [
    ["input", json(input)],
    ...(isNamed(answers) ? [["answers", json(answers)] satisfies [string, Source]] : []),
    ...(isNamed(signals) ? [["signals", json(signals)] satisfies [string, Source]] : []),
    ...(children.length > 0
      ? [["definitions", { items: children.map((child) => code(sagaConstant(child))) }] satisfies [string, Source]]
      : []),
    // As the settings have it: the runtime's own default may be over before the saga's sleeps and waits are.
    ...(saga.timeoutWritten
      ? []
      : [["config", json({ saga: { timeoutMs: saga.timeoutMs } })] satisfies [string, Source]]),
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
